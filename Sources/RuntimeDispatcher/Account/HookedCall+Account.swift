internal import Accounts
package import PluginsManager

extension HookedCall {
  func noteAsked(_ plugin: Plugin, at point: HookPoint, _ now: @autoclosure () -> ContinuousClock.Instant) {
    account?.asks(plugin.name, point.rawValue, isUnderFail: isUnderFail(plugin), at: now())
  }

  func noteAnswered(_ plugin: Plugin, at point: HookPoint, _ now: @autoclosure () -> ContinuousClock.Instant) {
    account?.answered(plugin.name, point.rawValue, at: now())
  }

  func note(_ judgement: Judgement, of plugin: Plugin, at point: HookPoint) {
    guard let account else { return }
    account.took(
      zip(judgement.accepted, judgement.before).map { change, before in
        FieldChange(change.field.changed, before: before?.shown, after: change.value.shown)
      },
      dropped: judgement.dropped, of: plugin.name, point.rawValue)
  }

  /// The answer of `plugin` is dropped whole for what it must not change.
  func noteRejected(_ judgement: Judgement, of plugin: Plugin, at point: HookPoint) {
    account?.took([], dropped: judgement.dropped, of: plugin.name, point.rawValue)
  }

  func noteFailure(_ failure: HookFailure, of plugin: Plugin, _ effect: Failure.Effect) {
    account?.settle(
      plugin.name, failure.hookPoint.rawValue, isUnderFail: isUnderFail(plugin), failure.cause.failure(effect), at: nil)
  }

  /// The plugins will not be asked at `point`.
  func noteNotAsked(_ plugins: some Sequence<Plugin>, at point: HookPoint, _ reason: Verdict.Reason) {
    guard let account else { return }
    for plugin in plugins {
      account.doesNotAsk(plugin.name, point.rawValue, isUnderFail: isUnderFail(plugin), reason)
    }
  }

  /// The runtime has not done what the plugins at `point` would be told of.
  package func noteRuntimeFailed(at point: HookPoint) {
    noteNotAsked(registry.plugins(at: point), at: point, isSkipped ? .skipLabel : .runtimeFailed)
  }
}

extension Judgement {
  fileprivate var dropped: [DroppedChange] {
    zip(rejectedChanges, rejected).map { change, cause in
      DroppedChange(change.field.changed, wanted: change.value.shown, cause.droppedReason)
    }
  }
}

extension HookFailure.Cause {
  fileprivate var droppedReason: DroppedChange.Reason {
    switch self {
    case .conflict(_, let owner): .conflict(owner: owner)
    case .forbiddenChange(_, let why): .forbidden(why)
    case .socketUnavailable, .wrongOwner, .deadline, .shortenedDeadline, .noTimeLeft, .connectionBroken, .tripped,
      .badAnswer, .undecodable, .status, .subjectUnknown, .runtimeRefused, .cancelled, .ending:
      .forbidden(description)
    }
  }
}
