/// One plugin at one hook point of a call.
package struct HookCall: Sendable, Equatable {
  package var plugin: String
  /// The hook point's name as in a registration file, such as `PreCreateContainer`.
  package var hookPoint: String
  /// Whether its failure refuses this call: the policy Fail, unless the pod is exempt from it.
  package var isUnderFail: Bool
  /// From the beginning of the CRI call to when the plugin was asked.
  package var began: Duration
  /// From then to its answer or failure; zero if it was not asked.
  package var duration: Duration
  package var verdict: Verdict
  /// What took effect. If the verdict is a failure nevertheless (the runtime refused it afterwards), it did not.
  package private(set) var changes: [FieldChange] = []
  /// What the plugin wanted and did not get.
  package private(set) var dropped: [DroppedChange] = []
  /// Changes, made or dropped, beyond ``listedLimit``: counted and not listed.
  package private(set) var unlisted = 0

  /// The most changes that are listed, and the most that are listed as dropped.
  package static let listedLimit = 64

  package init(
    plugin: String, hookPoint: String, isUnderFail: Bool, began: Duration = .zero, duration: Duration = .zero,
    verdict: Verdict
  ) {
    self.plugin = plugin
    self.hookPoint = hookPoint
    self.isUnderFail = isUnderFail
    self.began = began
    self.duration = duration
    self.verdict = verdict
  }

  package mutating func add(_ change: FieldChange) {
    if changes.count < Self.listedLimit { changes.append(change) } else { unlisted += 1 }
  }

  package mutating func add(_ change: DroppedChange) {
    if dropped.count < Self.listedLimit { dropped.append(change) } else { unlisted += 1 }
  }
}
