internal import GRPC
package import Logging
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Serves admin clients on one listening socket, at most ``AdminLimits/connections`` at a time.
package final class AdminListener: Sendable {
  private struct State {
    var listener: (any Channel)?
    var connections: [ObjectIdentifier: any Channel] = [:]
    var isClosed = false
    /// The limit of connections was met and said so.
    var isFull = false
  }

  private let routes: RouteTable
  private let eventLoop: any EventLoop
  private let owners: Set<UInt32>?
  private let logger: Logger
  private let state = Mutex(State())

  /// - Parameters:
  ///   - eventLoop: The admin side's own: what its clients ask for takes no time from the calls.
  ///   - owners: Users whose processes are answered; anybody's, if nil. A client's user is what the kernel says of it
  ///     (unix(7), SO_PEERCRED), so this needs a unix socket.
  package init(routes: RouteTable, eventLoop: any EventLoop, owners: Set<UInt32>?, logger: Logger) {
    self.routes = routes
    self.eventLoop = eventLoop
    self.owners = owners
    self.logger = logger
  }

  /// Serves a listening socket.
  ///
  /// - Parameter descriptor: It listens, and is taken over.
  package func serve(_ descriptor: CInt) async throws {
    try await start { try await $0.withBoundSocket(descriptor).get() }
  }

  /// Serves a TCP port of this machine's own address.
  /// - Throws: what bind(2) says.
  package func serve(port: Int) async throws {
    try await start { try await $0.bind(host: "127.0.0.1", port: port).get() }
  }

  private func start(_ bind: (ServerBootstrap) async throws -> any Channel) async throws {
    let bootstrap = ServerBootstrap(group: eventLoop)
      .serverChannelOption(.backlog, value: SOMAXCONN)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4 << 10))
      .childChannelInitializer { channel in self.accepted(channel) }
    let listener = try await bind(bootstrap)
    let isClosed = state.withLock { state in
      state.listener = listener
      return state.isClosed
    }
    if isClosed { try? await listener.close() }
  }

  /// Takes no further connections, and ends those that there are.
  package func close() async {
    let channels = state.withLock { state in
      state.isClosed = true
      return state.connections.values + (state.listener.map { [$0] } ?? [])
    }
    for channel in channels { try? await channel.close() }
  }

  private func accepted(_ channel: any Channel) -> EventLoopFuture<Void> {
    guard admit(channel) else { return channel.eventLoop.makeFailedFuture(ConnectionRefused()) }
    channel.closeFuture.whenComplete { _ in self.state.withLock { $0.connections[ObjectIdentifier(channel)] = nil } }
    return refusal(of: channel).flatMapThrowing { refusal in
      try channel.pipeline.syncOperations.addHandlers([
        HTTPResponseEncoder(),
        ByteToMessageHandler(
          HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: Self.decoderLimits),
          maximumBufferSize: AdminLimits.headBytes + AdminLimits.contentBytes),
        AdminConnection(routes: self.routes, refusal: refusal),
      ])
    }
  }

  /// NIO closes a channel whose set-up fails.
  private struct ConnectionRefused: Error {}

  private func admit(_ channel: any Channel) -> Bool {
    let (isAdmitted, isNews) = state.withLock { state in
      guard state.connections.count < AdminLimits.connections, !state.isClosed else {
        defer { state.isFull = true }
        return (false, !state.isFull && !state.isClosed)
      }
      state.isFull = false
      state.connections[ObjectIdentifier(channel)] = channel
      return (true, false)
    }
    if isNews {
      logger.warning("further admin connections are closed", metadata: ["limit": "\(AdminLimits.connections)"])
    }
    return isAdmitted
  }

  /// Why this client is not answered; nil if it is.
  private func refusal(of channel: any Channel) -> EventLoopFuture<AdminError?> {
    guard let owners else { return channel.eventLoop.makeSucceededFuture(nil) }
    return channel.peerUserID().map { owners.contains($0) ? nil : .notPermitted(uid: $0) }
  }

  private static let decoderLimits = {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = AdminLimits.headBytes
    limits.maxHeaderListSize = AdminLimits.headBytes
    limits.maxHeaderFieldCount = AdminLimits.headerFields
    return limits
  }()
}
