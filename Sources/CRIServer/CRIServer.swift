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
/// takes the socket away. When another process takes over it finishes them as well, without a limit, and leaves the
/// socket to that one.
// Unchecked, because everything mutable is confined to the event loop, on whose executor `run` must be started.
package final class CRIServer: Service, @unchecked Sendable {
  private let server: CallServer
  private let logger: Logger
  private let changed: @Sendable (ServerEvent) -> Void
  private let meters = RuntimeMeters()
  private let waitsForTakeOver: Bool
  private var socket: ListeningSocket?
  private var listener: (any Channel)?
  private var isAccepting = false
  private var connections: [ObjectIdentifier: KubeletConnection] = [:]
  private var whenEmpty: [CheckedContinuation<Void, Never>] = []
  private var isDraining = false
  /// Another process serves the socket; connections that were accepted here until then are served all the same.
  private var isHandedOver: Bool
  /// The limit of connections was met and said so.
  private var isFull = false

  /// - Parameters:
  ///   - waitsForTakeOver: Accept connections only when ``accept()`` is called.
  ///   - changed: Called on the event loop.
  package init(
    socket: consuming ListeningSocket, server: CallServer, logger: Logger, waitsForTakeOver: Bool = false,
    changed: @escaping @Sendable (ServerEvent) -> Void
  ) {
    self.changed = changed
    self.socket = consume socket
    self.server = server
    self.logger = logger
    self.waitsForTakeOver = waitsForTakeOver
    isHandedOver = waitsForTakeOver
  }

  package func run() async throws {
    server.runtimeEndpoint.whenUp = { [weak self] in self?.runtimeIsUp() }
    server.runtimeEndpoint.whenGone = { [meters, changed] in
      meters.runtime(isUp: false)
      changed(.runtimeIsGone)
    }
    if !waitsForTakeOver { try await accept() }
    try? await gracefulShutdown()
    isDraining = true
    // No new connection finds the socket before it is closed.
    let socket = socket.take()
    if isHandedOver { socket?.release() } else { socket?.remove() }
    await close()
    await drain()
  }

  // MARK: Taking over

  /// Accepts connections, at first or again.
  package func accept() async throws {
    guard !isAccepting, let descriptor = try socket?.descriptorToServe(), let path = socket?.path else { return }
    isAccepting = true
    isHandedOver = false
    let confined = NIOLoopBound(self, eventLoop: server.group.eventLoop)
    listener = try await ServerBootstrap(group: server.group.eventLoop)
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
    changed(.serving)
  }

  /// Accepts no more connections. The socket stays, and whoever dials it waits.
  package func close() async {
    isAccepting = false
    let closing = listener
    listener = nil
    try? await closing?.close()
  }

  /// Another process accepts connections: sends GOAWAY to those that are here and lets their calls finish, endless
  /// streams included.
  package func handOver() {
    isHandedOver = true
    for connection in connections.values { connection.drain(endsEndlessStreams: false) }
    logger.info(
      "another process has taken over; finishing calls in flight",
      metadata: ["connections": "\(connections.count)", "calls": "\(callsInFlight)"])
    changed(.draining(calls: callsInFlight))
  }

  /// Leaves the socket to other processes for good, after ``handOver()``.
  package func release() { socket.take()?.release() }

  /// Returns when there is no connection.
  package func untilEmpty() async {
    guard !connections.isEmpty else { return }
    await withCheckedContinuation { whenEmpty.append($0) }
  }

  /// What another process needs to serve the same socket; nil after its end.
  package var descriptors: (socket: CInt, lock: CInt, isActivated: Bool)? {
    guard let socket = socket?.descriptor, let lock = self.socket?.lock, let activated = self.socket?.isActivated
    else { return nil }
    return (socket, lock, activated)
  }

  package var callsInFlight: Int { connections.values.reduce(0) { $0 + $1.callsInFlight } }

  // MARK: Connections

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
    // It was under way when another process took over.
    if isHandedOver { connection.drain(endsEndlessStreams: false) }
  }

  /// NIO closes a channel whose set-up fails.
  private struct ConnectionRefused: Error {}

  private func closed(_ connection: KubeletConnection) {
    connections[ObjectIdentifier(connection)] = nil
    if isDraining { changed(.draining(calls: callsInFlight)) }
    if connections.isEmpty { wakeDrain() }
  }

  private func drain() async {
    let calls = connections.count
    for connection in connections.values { connection.drain(endsEndlessStreams: true) }
    changed(.draining(calls: callsInFlight))
    guard !connections.isEmpty else { return }
    logger.info("finishing calls in flight", metadata: ["connections": "\(calls)", "limit": "\(ServerLimits.drain)"])
    let confined = NIOLoopBound(self, eventLoop: server.group.eventLoop)
    let limit = TimeAmount(ServerLimits.drain)
    let cut = server.group.eventLoop.scheduleTask(in: limit) {
      for connection in confined.value.connections.values { connection.cut() }
    }
    // What is cut needs a moment to leave; Post hooks that still run are not waited for.
    let leave = server.group.eventLoop.scheduleTask(in: limit + .seconds(1)) { confined.value.wakeDrain() }
    await withCheckedContinuation { whenEmpty.append($0) }
    cut.cancel()
    leave.cancel()
  }

  private func wakeDrain() {
    let waiting = whenEmpty
    whenEmpty = []
    waiting.forEach { $0.resume() }
  }

  private func runtimeIsUp() {
    meters.runtime(isUp: true)
    if let adopted = socket?.adopt(ownerOf: server.runtimeEndpoint.path) {
      logger.info("the socket has the runtime's owner now", metadata: ["socket": "\(adopted)"])
    }
    changed(.runtimeIsUp)
  }
}
