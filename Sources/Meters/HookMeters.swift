package import Accounts
package import CoreMetrics
internal import Prometheus
internal import Synchronization

/// What is counted of hooked calls: all of it from their accounts, when the calls are over.
package final class HookMeters: Sendable {
  private struct CallLabels: Hashable {
    let plugin: String
    let hookPoint: String
    let outcome: Outcome
  }

  private struct PointLabels: Hashable {
    let plugin: String
    let hookPoint: String
  }

  private struct FieldLabels: Hashable {
    let plugin: String
    let field: ChangedField.Kind
  }

  /// Handles, each made when it is first needed.
  private struct Handles {
    var callDurations: [String: Timer] = [:]
    var calls: [CallLabels: Counter] = [:]
    var durations: [PointLabels: Timer] = [:]
    var changes: [FieldLabels: Counter] = [:]
    var conflicts: [FieldLabels: Counter] = [:]
  }

  private let factory: any MetricsFactory
  private let handles = Mutex(Handles())

  package init(factory: any MetricsFactory = MetricsSystem.factory) { self.factory = factory }

  /// Counts a call that is over.
  package func count(_ account: Account) {
    handles.withLock { handles in
      if account.attempt == nil {
        timer(in: &handles.callDurations[account.verb], MetricTable.callDuration.name, [("method", account.verb)])
          .recordNanoseconds(account.duration.nanoseconds)
      }
      for call in account.hookCalls { count(call, with: &handles) }
    }
  }

  private func count(_ call: HookCall, with handles: inout Handles) {
    let outcome = call.verdict.outcome
    switch outcome {
    case .notAsked, .pending: return
    case .answered, .unchanged, .changed, .failed, .refused, .owed, .dropped, .tripped: break
    }
    let (plugin, point) = (call.plugin, call.hookPoint)
    counter(
      in: &handles.calls[CallLabels(plugin: plugin, hookPoint: point, outcome: outcome)], MetricTable.hookCalls.name,
      [("plugin", plugin), ("hook_point", point), ("outcome", outcome.rawValue)]
    ).increment()
    if outcome != .tripped {
      timer(
        in: &handles.durations[PointLabels(plugin: plugin, hookPoint: point)], MetricTable.hookCallDuration.name,
        [("plugin", plugin), ("hook_point", point)]
      ).recordNanoseconds(call.duration.nanoseconds)
    }
    if call.verdict.failure == nil {
      for change in call.changes {
        let labels = FieldLabels(plugin: plugin, field: change.field.kind)
        counter(in: &handles.changes[labels], MetricTable.hookChanges.name, labels).increment()
      }
    }
    for change in call.dropped {
      guard case .conflict = change.reason else { continue }
      let labels = FieldLabels(plugin: plugin, field: change.field.kind)
      counter(in: &handles.conflicts[labels], MetricTable.hookConflicts.name, labels).increment()
    }
  }

  private func counter(in handle: inout Counter?, _ name: String, _ labels: FieldLabels) -> Counter {
    counter(in: &handle, name, [("plugin", labels.plugin), ("field", labels.field.rawValue)])
  }

  private func counter(
    in handle: inout Counter?, _ name: String, _ labels: @autoclosure () -> [(String, String)]
  ) -> Counter {
    if let handle { return handle }
    let counter = Counter(label: name, dimensions: labels(), factory: factory)
    handle = counter
    return counter
  }

  private func timer(
    in handle: inout Timer?, _ name: String, _ labels: @autoclosure () -> [(String, String)]
  ) -> Timer {
    if let handle { return handle }
    let timer = Timer(label: name, dimensions: labels(), factory: factory)
    handle = timer
    return timer
  }

  /// Ends the series of plugins of which no registration file is left.
  package func forgetPlugins(except names: Set<String>) {
    handles.withLock { handles in
      for (labels, handle) in handles.calls where !names.contains(labels.plugin) {
        handle.destroy()
        handles.calls[labels] = nil
      }
      for (labels, handle) in handles.durations where !names.contains(labels.plugin) {
        handle.destroy()
        handles.durations[labels] = nil
      }
      for (labels, handle) in handles.changes where !names.contains(labels.plugin) {
        handle.destroy()
        handles.changes[labels] = nil
      }
      for (labels, handle) in handles.conflicts where !names.contains(labels.plugin) {
        handle.destroy()
        handles.conflicts[labels] = nil
      }
    }
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
