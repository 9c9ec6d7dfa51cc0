internal import PluginsManager

/// What becomes of the changes that one plugin wants: a pure function of the call's state.
struct Judgement: Sendable, Equatable {
  /// The changes that may take effect.
  private(set) var accepted: [Change] = []
  /// What the request has in the field of each accepted change.
  private(set) var before: [FieldValue?] = []
  /// Why others may not: forbidden changes and conflicts, in the order of the changes.
  private(set) var rejected: [HookFailure.Cause] = []
  /// Those changes.
  private(set) var rejectedChanges: [Change] = []

  /// - Parameters:
  ///   - changes: what the plugin wants, compared with what it was sent.
  ///   - request: the state now. At a hook point where all are asked at once, plugins before this one may have
  ///     changed it since; a change that is made already is neither accepted nor rejected.
  init<R: HookRequest>(
    of changes: [Change], by plugin: Plugin, at point: HookPoint, request: R, call: HookedCall, rules: HookRules
  ) {
    for (change, present) in zip(changes, request.values(of: changes.map(\.field)))
    where !change.isSatisfied(by: present) {
      if let why = rules.whyForbidden(change, at: point, present: present, in: call) {
        reject(change, .forbiddenChange(change.field, why: why))
      } else if let owner = call.owners[change.field], owner != plugin.name {
        reject(change, .conflict(change.field, owner: owner))
      } else {
        accepted.append(change)
        before.append(present)
      }
    }
  }

  private mutating func reject(_ change: Change, _ cause: HookFailure.Cause) {
    rejected.append(cause)
    rejectedChanges.append(change)
  }
}
