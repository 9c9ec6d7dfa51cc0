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
