internal import Accounts
internal import PluginsManager

extension StopDelivery {
  /// Notes that the plugin is being asked, the first time.
  func noteAsked(at now: ContinuousClock.Instant) {
    company.account?.asks(plugin.name, claim.hookPoint.rawValue, isUnderFail: isUnderFail, at: now)
  }

  /// Notes what came of an attempt.
  func note(
    _ verdict: Verdict, attempt: Int, began: ContinuousClock.Instant? = nil, at now: ContinuousClock.Instant
  ) {
    company.account?.settle(
      plugin.name, claim.hookPoint.rawValue, isUnderFail: isUnderFail, verdict, at: now, attempt: attempt,
      attemptBegan: began)
  }

  private var isUnderFail: Bool { plugin.failurePolicy == .fail }
}
