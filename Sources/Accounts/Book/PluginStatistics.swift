package import FoundationEssentials

/// How a plugin has done since it was first asked.
package struct PluginStatistics: Sendable, Equatable {
  package struct Error: Sendable, Equatable {
    package var text: String
    package var when: Date
  }

  package let plugin: String
  /// How often it was asked, or would have been but for its breaker; repetitions included.
  package private(set) var calls = 0
  package private(set) var failures: [Failure.Kind: Int] = [:]
  /// Changes that took effect.
  package private(set) var changes = 0
  /// Changes that it wanted and that belonged to another plugin.
  package private(set) var conflicts = 0
  /// Changes that it wanted and may not make.
  package private(set) var forbidden = 0
  /// How long the plugin took, failures included.
  package private(set) var latency = LatencyHistogram()
  package private(set) var lastError: Error?
  /// Why its socket is not there, not served or not trusted, and when that was first so; nil if it was reached last time.
  package private(set) var unreachable: Error?

  init(plugin: String) { self.plugin = plugin }

  mutating func note(_ call: HookCall, began: Date) {
    switch call.verdict {
    case .notAsked, .pending: return
    case .failed(let failure):
      failures[failure.kind, default: 0] += 1
      let error = Error(text: failure.text, when: began + (call.began + call.duration).seconds)
      lastError = error
      note(failure.kind, error)
      if failure.kind != .tripped { latency.record(call.duration) }
    case .answered, .unchanged, .changed:
      unreachable = nil
      latency.record(call.duration)
    }
    calls += 1
    changes += call.changes.count
    for change in call.dropped {
      switch change.reason {
      case .conflict: conflicts += 1
      case .forbidden: forbidden += 1
      }
    }
  }
}

extension PluginStatistics {
  /// What a failure says of the way to the plugin.
  fileprivate mutating func note(_ kind: Failure.Kind, _ error: Error) {
    switch kind {
    case .socketUnavailable, .wrongOwner, .connectionBroken:
      unreachable = Error(text: error.text, when: unreachable?.when ?? error.when)
    case .deadline, .shortenedDeadline, .badAnswer, .undecodable, .status, .forbiddenChange, .conflict:
      unreachable = nil
    // It was not asked, or what failed was another.
    case .noTimeLeft, .tripped, .subjectUnknown, .runtimeRefused, .cancelled, .ending: break
    }
  }
}
