import PluginsManager

/// What is held against a plugin: five deadlines in a row of its own full timeout, and it is not asked for 5 s; then one
/// call is let through at a time until one is answered. The next call that sees a changed file or, while the plugin
/// rests, a new socket starts anew; calls from before do not count then.
struct ReferenceBreaker {
  enum Outcome {
    case answered
    case deadline
    case saysNothing
  }

  struct Pass {
    var isProbe = false
    /// How often it had been started anew.
    fileprivate var life = 0
  }

  private var version: UInt64
  private var socket: UInt64
  private var life = 0
  private var deadlinesInARow = 0
  private var restsUntil: ContinuousClock.Instant?
  private var isProbed = false

  init(_ plugin: Registered, socket: UInt64) {
    version = plugin.version
    self.socket = socket
  }

  /// Nothing is held against the plugin.
  var isClean: Bool { deadlinesInARow == 0 }

  /// Deadlines have been met, and not yet enough of them.
  var isInARow: Bool { deadlinesInARow > 0 && restsUntil == nil }

  /// - Returns: nil if the plugin is not to be asked now.
  mutating func admit(_ plugin: Registered, socket: UInt64, at now: ContinuousClock.Instant) -> Pass? {
    if plugin.version != version || (restsUntil != nil && socket != self.socket) { startAnew(plugin, socket) }
    guard let restsUntil else { return Pass(life: life) }
    guard restsUntil <= now, !isProbed else { return nil }
    isProbed = true
    return Pass(isProbe: true, life: life)
  }

  mutating func ended(_ outcome: Outcome, _ pass: Pass, at now: ContinuousClock.Instant) {
    guard pass.life == life else { return }
    switch outcome {
    case .answered:
      deadlinesInARow = 0
      restsUntil = nil
    case .deadline:
      deadlinesInARow += 1
      if deadlinesInARow >= 5, restsUntil == nil || pass.isProbe { restsUntil = now + .seconds(5) }
    case .saysNothing: break
    }
    if pass.isProbe { isProbed = false }
  }

  private mutating func startAnew(_ plugin: Registered, _ socket: UInt64) {
    version = plugin.version
    self.socket = socket
    life += 1
    deadlinesInARow = 0
    restsUntil = nil
    isProbed = false
  }
}
