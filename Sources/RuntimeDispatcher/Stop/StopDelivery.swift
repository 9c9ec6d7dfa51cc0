internal import Accounts
internal import PluginsManager

/// One PostStop* call to one plugin, with everything that repeating it takes.
struct StopDelivery<R: HookRequest>: Sendable {
  let claim: StopLedger.Claim
  /// As it is registered: at the stop, and then at each repetition.
  var plugin: Plugin
  /// What goes along with it, repetitions included.
  let company: CallCompany
  /// Looks the subject up once more.
  let lookUp: @Sendable () async -> Subject<R>

  init(
    _ claim: StopLedger.Claim, to plugin: Plugin, company: CallCompany,
    _ lookUp: @escaping @Sendable () async -> Subject<R>
  ) {
    self.claim = claim
    self.plugin = plugin
    self.company = company
    self.lookUp = lookUp
  }

  /// How one attempt ended.
  enum Attempt: Sendable {
    case succeeded
    /// The object is gone, or its pod is never hooked.
    case needless(Verdict.Reason)
    case failed(HookFailure.Cause, isOwed: Bool)
  }
}
