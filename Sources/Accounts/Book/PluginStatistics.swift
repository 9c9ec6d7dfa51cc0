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

  init(plugin: String) { self.plugin = plugin }

  mutating func note(_ call: HookCall, began: Date) {
    switch call.verdict {
    case .notAsked, .pending: return
    case .failed(let failure):
      failures[failure.kind, default: 0] += 1
      lastError = Error(text: failure.text, when: began + (call.began + call.duration).seconds)
      if failure.kind != .tripped { latency.record(call.duration) }
    case .answered, .unchanged, .changed: latency.record(call.duration)
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

/// The statistics of all plugins.
struct PluginRecords: Sendable {
  private var records: [String: PluginStatistics] = [:]

  mutating func note(_ account: Account) {
    for call in account.hookCalls {
      records[call.plugin, default: PluginStatistics(plugin: call.plugin)].note(call, began: account.began)
    }
  }

  mutating func forget(except names: Set<String>) { records = records.filter { names.contains($0.key) } }

  subscript(plugin: String) -> PluginStatistics? { records[plugin] }

  var all: [PluginStatistics] {
    records.values.sorted { $0.plugin.utf8.lexicographicallyPrecedes($1.plugin.utf8) }
  }
}
