internal import Admin
internal import CRIServer
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// The admin side of the daemon: its socket, and the port for Prometheus.
///
/// Whatever goes wrong here is logged and costs nothing but the admin side. Binding and letting go are here alone, so that
/// a process that takes over can be given the same path.
final class AdminEndpoint: Service {
  private let path: String?
  private let metricsPort: Int?
  private let routes: RouteTable
  private let logger: Logger
  private let socket = Mutex<ListeningSocket?>(nil)
  private let listeners = Mutex<[AdminListener]>([])
  private let openings: AsyncStream<Void>
  private let opening: AsyncStream<Void>.Continuation

  /// - Parameters:
  ///   - path: The admin socket's; nil for none.
  ///   - metricsPort: A TCP port of 127.0.0.1; nil for none.
  init(path: String?, metricsPort: Int?, routes: RouteTable, logger: Logger) {
    self.path = path
    self.metricsPort = metricsPort
    self.routes = routes
    self.logger = logger
    (openings, opening) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Binds the socket, at first or after ``letGo()``.
  func open() { opening.yield() }

  func run() async {
    await cancelWhenGracefulShutdown {
      let eventLoop = self.path == nil && self.metricsPort == nil ? nil : Self.threadOfItsOwn()
      for await _ in self.openings {
        if let eventLoop { await self.bind(on: eventLoop) }
      }
    }
    await letGo()
  }

  /// So that admin clients take no time from the calls: where there are more threads than cores, the calls go first.
  private static func threadOfItsOwn() -> any EventLoop {
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    // Of this thread alone (setpriority(2), "C library/kernel differences"). Where it is not allowed, all are equal.
    eventLoop.execute { setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10) }
    return eventLoop
  }

  /// Ends the connections and takes the socket away: another process may bind it then.
  func letGo() async {
    socket.withLock { $0.take() }?.remove()
    let closing = listeners.withLock { listeners in
      defer { listeners = [] }
      return listeners
    }
    for listener in closing { await listener.close() }
  }

  private func bind(on eventLoop: any EventLoop) async {
    guard listeners.withLock({ $0.isEmpty }) else { return }
    // Between two steps of the start: the services run, the sockets are to be bound.
    StartPages.giveBack()
    if let path { await serve(path, on: eventLoop) }
    if let metricsPort { await serve(metricsPort: metricsPort, on: eventLoop) }
  }

  private func serve(_ path: String, on eventLoop: any EventLoop) async {
    do {
      let (descriptor, weakness) = try socket.withLock { socket in
        socket = try ListeningSocket.bind(path)
        return (try socket?.descriptorToServe(), socket?.weakness)
      }
      guard let descriptor else { return }
      if let weakness { logger.warning("--admin: \(weakness)") }
      try await listener(routes, owners: [0, geteuid()], on: eventLoop).serve(descriptor)
    } catch {
      logger.error("no admin socket", metadata: ["error": "\(error)"])
    }
  }

  private func serve(metricsPort: Int, on eventLoop: any EventLoop) async {
    do {
      let metrics = routes.only("/metrics")
      try await listener(metrics, owners: nil, on: eventLoop).serve(port: metricsPort)
    } catch {
      logger.error("no metrics port", metadata: ["port": "\(metricsPort)", "error": "\(error)"])
    }
  }

  private func listener(
    _ routes: RouteTable, owners: Set<UInt32>?, on eventLoop: any EventLoop
  ) -> AdminListener {
    let listener = AdminListener(routes: routes, eventLoop: eventLoop, owners: owners, logger: logger)
    listeners.withLock { $0.append(listener) }
    return listener
  }
}
