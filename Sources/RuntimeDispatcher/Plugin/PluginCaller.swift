internal import Accounts
internal import PluginsManager
internal import Synchronization

/// Makes one call to one plugin: deadline, breaker, and what the wire's errors mean.
final class PluginCaller: Sendable {
  private let transport: any HookTransport
  private let clock: SteadyClock
  /// By plugin name. Only plugins against which something is held have one.
  private let breakers = Mutex<[String: Breaker]>([:])

  init(transport: any HookTransport, clock: SteadyClock) {
    self.transport = transport
    self.clock = clock
  }

  /// One call at `point`.
  /// - Parameter deadline: when the answer must be there, if that is earlier than the plugin's own timeout.
  /// - Returns: the serialized answer.
  /// - Throws: the cause of the failure; `cancelled` if the calling task was cancelled.
  func call(
    _ plugin: Plugin, at point: HookPoint, request: [UInt8], by deadline: ContinuousClock.Instant?, trace: TraceContext?
  ) async throws(HookFailure.Cause) -> [UInt8] {
    let left = deadline.map { clock.left(until: $0) } ?? plugin.timeout
    guard left > .zero else { throw .noTimeLeft }
    guard let pass = admit(plugin) else { throw .tripped }
    let isShortened = left < plugin.timeout
    do {
      let answer = try await transport.call(
        plugin, methodPath: point.methodPath, request: request, timeout: min(left, plugin.timeout),
        trace: trace)
      ended(.answered, pass, plugin)
      return answer
    } catch {
      ended(error.outcome(isShortened: isShortened), pass, plugin)
      throw error.cause(isShortened: isShortened)
    }
  }

  /// How the plugin stands. Must not be called on the event loop: it looks at the socket's file.
  func condition(of plugin: Plugin) -> PluginCondition {
    let now = clock.now
    let breaker = breakers.withLock { $0[plugin.name] }
    return PluginCondition(
      isTripped: breaker?.isOpen ?? false, trippedFor: breaker?.trippedAt.map { $0.duration(to: now) },
      hasSocket: transport.socketIdentity(of: plugin) != nil)
  }

  /// The plugin is asked again, whatever its breaker held against it.
  /// - Returns: whether it was not asked until now.
  func reset(_ plugin: String) -> Bool {
    breakers.withLock { breakers in
      let wasOpen = breakers[plugin]?.isOpen ?? false
      breakers[plugin]?.reset()
      return wasOpen
    }
  }

  /// What is held against plugins.
  func breakerStates() -> [BreakerState] {
    let now = clock.now
    return breakers.withLock { $0.map { $1.state(of: $0, at: now) } }
  }

  /// Holds against a plugin what another process did, unless it has a new socket since.
  func inherit(_ breaker: BreakerState, of plugin: Plugin) {
    guard transport.socketIdentity(of: plugin) == breaker.socket else { return }
    let now = clock.now
    breakers.withLock { $0[plugin.name] = Breaker(resuming: breaker, pluginVersion: plugin.version, at: now) }
  }

  private func admit(_ plugin: Plugin) -> Breaker.Pass? {
    let now = clock.now
    // The socket is looked at only when it may open the breaker, and not inside the lock.
    let isOpen = breakers.withLock { $0[plugin.name]?.isOpen ?? false }
    let socket = isOpen ? transport.socketIdentity(of: plugin) : nil
    return breakers.withLock { breakers in
      guard var breaker = breakers[plugin.name] else { return .free }
      let pass = breaker.admit(pluginVersion: plugin.version, socket: socket, at: now)
      breakers[plugin.name] = breaker
      return pass
    }
  }

  private func ended(_ outcome: Breaker.Outcome, _ pass: Breaker.Pass, _ plugin: Plugin) {
    let now = clock.now
    let socket: SocketIdentity?
    switch outcome {
    case .deadline: socket = transport.socketIdentity(of: plugin)
    case .answered, .neither: socket = nil
    }
    breakers.withLock { breakers in
      guard var breaker = breakers[plugin.name] ?? outcome.newBreaker(for: plugin, socket: socket) else { return }
      breaker.ended(outcome, pass, socket: socket, at: now)
      breakers[plugin.name] = breaker.isSpotless ? nil : breaker
    }
  }
}

extension Breaker.Outcome {
  /// A breaker to begin with, if this outcome is worth remembering.
  fileprivate func newBreaker(for plugin: Plugin, socket: SocketIdentity?) -> Breaker? {
    switch self {
    case .deadline: Breaker(pluginVersion: plugin.version, socket: socket)
    case .answered, .neither: nil
    }
  }
}
