internal import Admin
internal import CRIServer
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// The admin side of the daemon: its socket.
///
/// Whatever goes wrong here is logged and costs nothing but the admin side. Binding and letting go are here alone, so that
/// a process that takes over can be given the same path.
final class AdminEndpoint: Service {
  private let path: String?
  private let routes: RouteTable
  private let logger: Logger
  private let socket = Mutex<ListeningSocket?>(nil)
  private let listeners = Mutex<[AdminListener]>([])

  /// - Parameter path: The admin socket's; nil for none.
  init(path: String?, routes: RouteTable, logger: Logger) {
    self.path = path
    self.routes = routes
    self.logger = logger
  }

  func run() async {
    // A thread of its own, so that admin clients take no time from the calls.
    if let path { await serve(path, on: MultiThreadedEventLoopGroup(numberOfThreads: 1).next()) }
    try? await gracefulShutdown()
    await letGo()
  }

  /// Ends the connections and takes the socket away: another process may bind it then.
  func letGo() async {
    socket.withLock { $0.take() }?.remove()
    for listener in listeners.withLock({ $0 }) { await listener.close() }
  }

  private func serve(_ path: String, on eventLoop: any EventLoop) async {
    do {
      let (descriptor, weakness) = try socket.withLock { socket in
        socket = try ListeningSocket.bind(path)
        return (socket?.descriptor, socket?.weakness)
      }
      guard let descriptor else { return }
      if let weakness { logger.warning("--admin: \(weakness)") }
      try await listener(routes, owners: [0, geteuid()], on: eventLoop).serve(descriptor)
    } catch {
      logger.error("no admin socket", metadata: ["error": "\(error)"])
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
