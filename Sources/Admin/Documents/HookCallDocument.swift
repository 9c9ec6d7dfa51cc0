internal import Accounts

/// What came of asking one plugin at one hook point of a call.
package struct HookCallDocument: Codable, Sendable, Hashable {
  package struct Failure: Codable, Sendable, Hashable {
    package var kind: String
    package var text: String
    /// What followed: `ignored`, `refused`, `owed` or `dropped`.
    package var effect: String
  }

  /// A change that took effect. The field is the plugin's for the rest of the call.
  package struct Change: Codable, Sendable, Hashable {
    package var field: String
    /// Absent if there was no value, or it may not be told.
    package var before: String?
    /// `(set)` or `(changed)` if it may not be told.
    package var after: String
    package var owner: String
  }

  /// A change that the plugin wanted and did not get.
  package struct Dropped: Codable, Sendable, Hashable {
    package var field: String
    package var wanted: String
    /// `forbidden` or `conflict`.
    package var reason: String
    /// Why it is forbidden.
    package var why: String?
    /// To whom the field belongs.
    package var owner: String?
  }

  package var plugin: String
  package var hookPoint: String
  /// Whether its failure refuses this call.
  package var isUnderFail: Bool
  /// From the beginning of the call to when the plugin was asked.
  package var beganMs: Double
  package var durationMs: Double
  /// In one word, the same as the metric's label.
  package var outcome: String
  package var failure: Failure?
  /// Why it was not asked.
  package var notAsked: String?
  package var changes: [Change]
  package var dropped: [Dropped]
  /// Changes beyond those that are listed.
  package var unlisted: Int
}

extension HookCallDocument {
  init(_ call: HookCall) {
    plugin = call.plugin
    hookPoint = call.hookPoint
    isUnderFail = call.isUnderFail
    beganMs = call.began.milliseconds
    durationMs = call.duration.milliseconds
    outcome = call.verdict.outcome.rawValue
    failure = call.verdict.failure.map {
      Failure(kind: $0.kind.rawValue, text: $0.text, effect: $0.effect.rawValue)
    }
    if case .notAsked(let reason) = call.verdict { notAsked = reason.rawValue }
    changes = call.changes.map {
      Change(field: $0.field.description, before: $0.beforeText, after: $0.afterText, owner: call.plugin)
    }
    dropped = call.dropped.map(Dropped.init)
    unlisted = call.unlisted
  }
}

extension HookCallDocument.Dropped {
  fileprivate init(_ change: DroppedChange) {
    field = change.field.description
    wanted = change.wanted.description
    switch change.reason {
    case .forbidden(let text):
      reason = "forbidden"
      why = text
    case .conflict(let other):
      reason = "conflict"
      owner = other
    }
  }
}
