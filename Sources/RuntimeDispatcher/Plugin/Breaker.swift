/// Keeps a plugin that does not answer from costing every call its timeout (design, "Breaker"): after five
/// deadlines in a row it refuses all calls for 5 s, then lets one through at a time until one is answered.
///
/// A value without a clock: the instants come from outside.
package struct Breaker: Sendable {
  package static let deadlinesToTrip = 5
  static let pause = Duration.seconds(5)

  /// Permission for one call; handed back with how the call ended.
  struct Pass: Sendable, Equatable {
    let isProbe: Bool
    fileprivate let generation: UInt64

    /// For a call to a plugin that has no breaker, because nothing is held against it.
    static let free = Pass(isProbe: false, generation: 0)
  }

  /// How a call ended, as far as it says something about the plugin's speed.
  enum Outcome: Sendable {
    /// Any answer, an error status too.
    case answered
    /// The plugin's own full timeout passed.
    case deadline
    /// Socket errors, deadlines that kubelet's had shortened, cancelled calls: they say nothing.
    case neither
  }

  private enum State {
    case closed(deadlinesInARow: Int)
    case open(until: ContinuousClock.Instant, isProbing: Bool)
  }

  private var state = State.closed(deadlinesInARow: 0) {
    didSet { if !isOpen { trippedAt = nil } }
  }
  /// When it opened; nil if it is closed.
  private(set) var trippedAt: ContinuousClock.Instant?
  private var generation: UInt64 = 0
  private var pluginVersion: UInt64
  private var socket: SocketIdentity?

  init(pluginVersion: UInt64, socket: SocketIdentity?) {
    self.pluginVersion = pluginVersion
    self.socket = socket
  }

  /// Goes on where another process has left off.
  init(resuming breaker: BreakerState, pluginVersion: UInt64, at now: ContinuousClock.Instant) {
    self.init(pluginVersion: pluginVersion, socket: breaker.socket)
    switch breaker.state {
    case .closed(let count): state = .closed(deadlinesInARow: max(0, min(count, Self.deadlinesToTrip - 1)))
    case .open(let left, let since):
      state = .open(until: now + max(.zero, min(left, Self.pause)), isProbing: false)
      trippedAt = now - max(.zero, since)
    }
  }

  /// What another process can go on with.
  func state(of plugin: String, at now: ContinuousClock.Instant) -> BreakerState {
    switch state {
    case .closed(let count): BreakerState(plugin: plugin, state: .closed(deadlinesInARow: count), socket: socket)
    case .open(let until, _):
      BreakerState(
        plugin: plugin, state: .open(left: max(.zero, until - now), since: now - (trippedAt ?? now)), socket: socket)
    }
  }

  var isOpen: Bool { if case .open = state { true } else { false } }

  /// Whether nothing is held against the plugin, so that the breaker need not be kept.
  var isSpotless: Bool { if case .closed(deadlinesInARow: 0) = state { true } else { false } }

  /// Asks for one call; nil if the plugin is not to be called now.
  /// - Parameter socket: the socket file now; needed only if ``isOpen``, nil if not looked up or absent.
  mutating func admit(pluginVersion: UInt64, socket: SocketIdentity?, at now: ContinuousClock.Instant) -> Pass? {
    resetIfNew(pluginVersion: pluginVersion, socket: socket)
    switch state {
    case .closed: return Pass(isProbe: false, generation: generation)
    case .open(let until, let isProbing):
      guard now >= until, !isProbing else { return nil }
      state = .open(until: until, isProbing: true)
      return Pass(isProbe: true, generation: generation)
    }
  }

  /// Takes note of how a call ended. Every ``Pass`` comes back here once.
  /// - Parameter socket: the socket file now; needed only for a deadline.
  mutating func ended(
    _ outcome: Outcome, _ pass: Pass, socket: SocketIdentity?, at now: ContinuousClock.Instant
  ) {
    resetIfNew(pluginVersion: pluginVersion, socket: socket)
    // A call to the plugin as it was before the reset says nothing about the present one.
    guard pass.generation == generation else { return }
    switch (outcome, state) {
    case (.answered, _): state = .closed(deadlinesInARow: 0)
    case (.deadline, .closed(let count)) where count + 1 < Self.deadlinesToTrip:
      state = .closed(deadlinesInARow: count + 1)
    case (.deadline, .closed):
      state = .open(until: now + Self.pause, isProbing: false)
      trippedAt = now
    // Calls that began before the trip do not prolong it.
    case (.deadline, .open) where pass.isProbe: state = .open(until: now + Self.pause, isProbing: false)
    case (.neither, .open(let until, _)) where pass.isProbe: state = .open(until: until, isProbing: false)
    case (.deadline, .open), (.neither, .open), (.neither, .closed): break
    }
  }

  private mutating func resetIfNew(pluginVersion: UInt64, socket: SocketIdentity?) {
    let socketIsNew = socket.map { $0 != self.socket } ?? false
    guard pluginVersion != self.pluginVersion || socketIsNew else { return }
    self.pluginVersion = pluginVersion
    self.socket = socket ?? self.socket
    reset()
  }

  /// Nothing is held against the plugin any more, nor will be for the calls that it has now.
  mutating func reset() {
    state = .closed(deadlinesInARow: 0)
    generation += 1
  }
}
