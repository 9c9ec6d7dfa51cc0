internal import CRIServer
internal import Glibc
internal import NIOCore
internal import ServiceLifecycle
internal import Systemd

/// Tells the service manager how the daemon is, and that its event loop turns.
// Unchecked, because everything mutable is confined to the event loop, on whose executor `run` must be started.
final class ServiceReport: Service, @unchecked Sendable {
  private let manager: NotifySocket?
  private let watchdog: Duration?
  private let eventLoop: any EventLoop
  private var phase: ServicePhase
  /// Another process is the service, or will be.
  private var isSilent: Bool

  /// - Parameter isSilent: Say nothing until ``takeOver()``.
  init(
    to manager: NotifySocket?, watchdog: Duration?, runtimePath: String, eventLoop: any EventLoop, isSilent: Bool
  ) {
    self.manager = manager
    self.watchdog = watchdog
    self.eventLoop = eventLoop
    self.isSilent = isSilent
    phase = ServicePhase(runtimePath: runtimePath)
  }

  /// What happened, on the event loop.
  func heard(_ event: ServerEvent) { tell(phase.heard(event)) }

  /// So many plugins are registered, on the event loop.
  func counted(plugins: Int) { tell(phase.counted(plugins: plugins)) }

  /// This process is the service from now on.
  func takeOver() {
    isSilent = false
    tell([.mainProcess(getpid()), .ready] + phase.all())
  }

  /// Another process is the service from now on.
  func leave() { isSilent = true }

  func run() async throws {
    // Out of the event loop itself: one that hangs says nothing.
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    let signs = watchdog.map { interval in
      eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: TimeAmount(interval)) { _ in
        confined.value.tell([.watchdog])
      }
    }
    try? await gracefulShutdown()
    tell([.stopping])
    // It is watched to its end.
    _ = signs
  }

  private func tell(_ news: [ServiceNews]) {
    guard !isSilent, !news.isEmpty else { return }
    manager?.tell(news)
  }
}
