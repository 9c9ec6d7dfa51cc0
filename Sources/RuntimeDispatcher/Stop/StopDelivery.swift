internal import PluginsManager

/// One PostStop* call to one plugin, with everything that repeating it takes.
struct StopDelivery<R: HookRequest>: Sendable {
  let claim: StopLedger.Claim
  /// As it is registered: at the stop, and then at each repetition.
  var plugin: Plugin
  /// Looks the subject up once more.
  let lookUp: @Sendable () async -> Subject<R>

  init(_ claim: StopLedger.Claim, to plugin: Plugin, _ lookUp: @escaping @Sendable () async -> Subject<R>) {
    self.claim = claim
    self.plugin = plugin
    self.lookUp = lookUp
  }

  /// How one attempt ended.
  enum Attempt: Sendable {
    case succeeded
    /// The object is gone, or its pod is never hooked.
    case needless
    case failed(HookFailure.Cause, isOwed: Bool)
  }
}
