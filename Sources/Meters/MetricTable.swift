internal import Accounts
package import Prometheus

/// Every metric of RuntimeManager. README.md has the same table, which a test compares.
package enum MetricTable {
  /// In the order in which they are shown.
  package static let families: [MetricFamily] = [
    calls, callsInFlight, relayedBytes, callDuration, hookCalls, hookCallDuration, hookChanges, hookConflicts,
    breakerOpen, owedCalls, storePods, storeContainers, storeBytes, rebuilds, runtimeConnects, runtimeUp,
    registrationFiles, buildInfo,
  ]

  static let calls = MetricFamily(
    "runtime_manager_calls_total", .counter, labels: ["method", "code"],
    "Calls of kubelet and other clients that are over, by CRI method (others are one) and gRPC status code.")
  static let callsInFlight = MetricFamily(
    "runtime_manager_calls_in_flight", .gauge, "Calls that have begun and are not over, streams without end included.")
  static let relayedBytes = MetricFamily(
    "runtime_manager_relayed_bytes_total", .counter, labels: ["direction"],
    "Bytes of messages that passed, as request or as answer.")
  static let callDuration = MetricFamily(
    "runtime_manager_call_duration_seconds", .histogram(upperBounds: callBounds), labels: ["method"],
    "Time from a hooked call to its answer, runtime and plugins included.")
  static let hookCalls = MetricFamily(
    "runtime_manager_hook_calls_total", .counter, labels: ["plugin", "hook_point", "outcome"],
    "Calls to plugins, by what came of them; repetitions of owed calls included.")
  static let hookCallDuration = MetricFamily(
    "runtime_manager_hook_call_duration_seconds", .histogram(upperBounds: LatencyHistogram.bounds),
    labels: ["plugin", "hook_point"], "Time that a plugin took, failures included.")
  static let hookChanges = MetricFamily(
    "runtime_manager_hook_changes_total", .counter, labels: ["plugin", "field"],
    "Changes by plugins that took effect, by the kind of field.")
  static let hookConflicts = MetricFamily(
    "runtime_manager_hook_conflicts_total", .counter, labels: ["plugin", "field"],
    "Changes that a plugin wanted of fields that belonged to another one.")
  static let breakerOpen = MetricFamily(
    "runtime_manager_breaker_open", .gauge, labels: ["plugin"],
    "1 while a registered plugin is not asked because of its last deadlines, else 0.")
  static let owedCalls = MetricFamily(
    "runtime_manager_owed_calls", .gauge, "PostStop* calls that are owed to plugins.")
  static let storePods = MetricFamily("runtime_manager_store_pods", .gauge, "Pod sandboxes that the Store knows.")
  static let storeContainers = MetricFamily(
    "runtime_manager_store_containers", .gauge, "Containers that the Store knows.")
  static let storeBytes = MetricFamily(
    "runtime_manager_store_bytes", .gauge, "Bytes of the Store's records, without what keeping them costs.")
  static let rebuilds = MetricFamily(
    "runtime_manager_rebuilds_total", .counter, labels: ["outcome"],
    "Times that the Store was brought in line with the runtime, or could not be.")
  static let runtimeConnects = MetricFamily(
    "runtime_manager_runtime_connects_total", .counter,
    "Times that the runtime was reached: at first, and each time after it was lost.")
  static let runtimeUp = MetricFamily(
    "runtime_manager_runtime_up", .gauge, "1 while the runtime answers, else 0.")
  static let registrationFiles = MetricFamily(
    "runtime_manager_registration_files", .gauge, labels: ["state"], "Registration files, by how they stand.")
  static let buildInfo = MetricFamily(
    "runtime_manager_build_info", .gauge, labels: ["version"], "Always 1.")

  /// Seconds. A call waits for the runtime, which may take minutes to pull up a pod's network.
  private static let callBounds: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 240,
  ]
}
