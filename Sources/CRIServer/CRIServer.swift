internal import GRPC
internal import HTTP2
package import Logging
internal import Meters
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// The CRI endpoint: accepts kubelet's connections on the listening socket and serves their calls.
///
/// Own the socket first (``ListeningSocket``), then look for the runtime: kubelet may dial before the
/// runtime is there. On graceful shutdown it sends GOAWAY, finishes the calls in flight (30 s at most) and
/// takes the socket away.
// Unchecked, because everything mutable is confined to the event loop, on whose executor `run` must be started.
package final class CRIServer: Service, @unchecked Sendable {
  private let server: CallServer
  private let logger: Logger
  private let whenRuntimeIsUp: @Sendable () -> Void
  private let meters = RuntimeMeters()
  private var socket: ListeningSocket?
  private var connections: [ObjectIdentifier: KubeletConnection] = [:]
  private var whenEmpty: CheckedContinuation<Void, Never>?
  private var isDraining = false
  /// The limit of connections was met and said so.
  private var isFull = false

  /// - Parameter whenRuntimeIsUp: Called each time the runtime is reached.
  package init(
    socket: consuming ListeningSocket, server: CallServer, logger: Logger,
    whenRuntimeIsUp: @escaping @Sendable () -> Void
  ) {
    self.whenRuntimeIsUp = whenRuntimeIsUp
    self.socket = consume socket
    self.server = server
    self.logger = logger
  }

  package func run() async throws {
    guard let descriptor = socket?.descriptor, let path = socket?.path else { return }
    let confined = NIOLoopBound(self, eventLoop: server.group.eventLoop)
    server.runtimeEndpoint.whenUp = { [weak self] in self?.runtimeIsUp() }
    server.runtimeEndpoint.whenGone = { [meters] in meters.runtime(isUp: false) }
    let listener = try await ServerBootstrap(group: server.group.eventLoop)
      .serverChannelOption(.backlog, value: Int32(ServerLimits.connections))
      .childChannelOption(.writeBufferWaterMark, value: WireOptions.waterMark)
      .childChannelOption(.recvAllocator, value: WireOptions.receive)
      .childChannelOption(.maxMessagesPerRead, value: WireOptions.messagesPerRead)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try confined.value.accepted(channel) }
      }
      .withBoundSocket(descriptor)
      .get()
    logger.info("serving", metadata: ["socket": "\(path)", "runtime": "\(server.runtimeEndpoint.path)"])
    try? await gracefulShutdown()
    isDraining = true
    socket.take()?.remove()
    try? await listener.close()
    await drain()
  }

  private func accepted(_ channel: any Channel) throws {
    guard connections.count < ServerLimits.connections, !isDraining else {
      if !isFull {
        logger.warning("further connections are closed", metadata: ["limit": "\(ServerLimits.connections)"])
      }
      isFull = true
      throw ConnectionRefused()
    }
    isFull = false
    let connection = KubeletConnection(server: server) { [weak self] in self?.closed($0) }
    connections[ObjectIdentifier(connection)] = connection
    try channel.pipeline.syncOperations.addHandler(connection.makeHandler())
  }

  /// NIO closes a channel whose set-up fails.
  private struct ConnectionRefused: Error {}

  private func closed(_ connection: KubeletConnection) {
    connections[ObjectIdentifier(connection)] = nil
    if connections.isEmpty { wakeDrain() }
  }

  private func drain() async {
    let calls = connections.count
    for connection in connections.values { connection.drain() }
    guard !connections.isEmpty else { return }
    logger.info("finishing calls in flight", metadata: ["connections": "\(calls)", "limit": "\(ServerLimits.drain)"])
    let confined = NIOLoopBound(self, eventLoop: server.group.eventLoop)
    let limit = TimeAmount(ServerLimits.drain)
    let cut = server.group.eventLoop.scheduleTask(in: limit) {
      for connection in confined.value.connections.values { connection.cut() }
    }
    // What is cut needs a moment to leave; Post hooks that still run are not waited for.
    let leave = server.group.eventLoop.scheduleTask(in: limit + .seconds(1)) { confined.value.wakeDrain() }
    await withCheckedContinuation { whenEmpty = $0 }
    cut.cancel()
    leave.cancel()
  }

  private func wakeDrain() {
    whenEmpty?.resume()
    whenEmpty = nil
  }

  private func runtimeIsUp() {
    meters.runtime(isUp: true)
    if let adopted = socket?.adopt(ownerOf: server.runtimeEndpoint.path) {
      logger.info("the socket has the runtime's owner now", metadata: ["socket": "\(adopted)"])
    }
    whenRuntimeIsUp()
  }
}
