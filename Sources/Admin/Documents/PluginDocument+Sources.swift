internal import Accounts
internal import FoundationEssentials
internal import PluginsManager
internal import RuntimeDispatcher

extension PluginDocument {
  /// - Parameters:
  ///   - plugin: What the file registers; nil if it registers nothing.
  ///   - condition: How the dispatcher finds it, if it registers something.
  ///   - statistics: What its calls have shown; nil if there were none.
  init(
    _ file: FileState, in directory: String, plugin: Plugin?, condition: PluginCondition?, statistics: PluginStatistics?
  ) {
    name = file.plugin
    self.file = "\(directory)/\(file.name)"
    endpoint = plugin?.endpoint
    hooks = HookPoint.allCases.filter { plugin?.hookPoints.contains($0) ?? false }.map(\.rawValue)
    policy = plugin?.failurePolicy.rawValue
    timeoutMs = plugin?.timeout.milliseconds
    calls = statistics?.calls ?? 0
    failures = Dictionary(
      uniqueKeysWithValues: (statistics?.failures ?? [:]).map { ($0.rawValue, $1) })
    p50Ms = statistics?.latency.quantile(0.5)?.milliseconds
    p99Ms = statistics?.latency.quantile(0.99)?.milliseconds
    lastError = statistics?.lastError.map { LastError(text: $0.text, time: Timestamp.text($0.when)) }

    let standing = Self.standing(file, condition, statistics)
    state = standing.state
    reason = standing.reason
    since = standing.since.map(Timestamp.text)
    if case .lastGoodKept(let error) = file.condition { fileError = error.description }
  }

  private static func standing(
    _ file: FileState, _ condition: PluginCondition?, _ statistics: PluginStatistics?
  ) -> (state: State, reason: String?, since: Date?) {
    if case .rejected(let error) = file.condition { return (.rejected, error.description, file.since) }
    if let condition, condition.isTripped {
      let reason = "\(Breaker.deadlinesToTrip) calls in a row ran into their deadlines"
      return (.tripped, reason, condition.trippedFor.map { Date(timeIntervalSinceNow: -$0.milliseconds / 1000) })
    }
    if condition?.hasSocket == false { return (.unreachable, "its socket is not there", nil) }
    if let unreachable = statistics?.unreachable { return (.unreachable, unreachable.text, unreachable.when) }
    return (.healthy, nil, file.since)
  }
}
