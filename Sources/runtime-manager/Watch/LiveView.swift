internal import Admin
internal import Synchronization
internal import UnixSignals

/// The live view of a terminal: looks at the daemon each second, hears of each hooked call, follows the window's size,
/// and ends with Ctrl-C.
final class LiveView: Sendable {
  private static let pause = Duration.seconds(1)

  private let client: AdminClient
  private let state = Mutex(LiveState())

  init(_ client: AdminClient) { self.client = client }

  /// - Throws: `AdminClientError` when the daemon is gone.
  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigwinch)
    // Nothing is drawn for a daemon that is not there.
    try await look()
    let screen = Screen()
    defer { screen.leave() }
    let (redraws, redraw) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    redraw.yield()
    try await withThrowingTaskGroup { tasks in
      // Whichever ends first ends all: a signal, or the daemon.
      tasks.addTask {
        for await signal in signals {
          guard signal == .sigwinch else { return }
          redraw.yield()
        }
      }
      tasks.addTask {
        try await self.client.events { event in
          if case .call(let call) = event { self.state.withLock { $0.heard(call) } }
        }
        throw self.client.ended
      }
      tasks.addTask {
        while true {
          try await Task.sleep(for: Self.pause)
          try await self.look()
          redraw.yield()
        }
      }
      tasks.addTask {
        for await _ in redraws {
          screen.draw(self.state.withLock { $0 }.lines(for: .ofStandardOutput()))
        }
      }
      try await tasks.next()
      tasks.cancelAll()
    }
  }

  private func look() async throws {
    let sample = CallSample(try await client.text("metrics"), taken: .now)
    let plugins: PluginsDocument = try await client.get("v1", "plugins")
    state.withLock { $0.looked(sample, plugins) }
  }
}
