/// What the dispatcher has counted since it was made; a snapshot.
package struct DispatcherCounters: Sendable, Equatable {
  /// Failures that refused a call.
  package var failuresRefused = 0
  /// Failures that changed nothing for the call, PostStop* hooks included.
  package var failuresIgnored = 0
  /// Changes that were dropped under Ignore because they were forbidden or in conflict.
  package var changesDropped = 0
  /// Cgroup parents that left kubelet's own root.
  package var kubeletRootLeft = 0
  /// Cpusets that were cleared at a start or update, which cannot clear one that the runtime has.
  package var cpusetsClearedLate = 0
  /// PostStop* calls that are owed now.
  package var owed = 0
  /// Owed calls that were given up, after 10 minutes or because too many were owed.
  package var owedDropped = 0
  /// Calls that were still owed when ``RuntimeDispatcher/run()`` ended.
  package var owedAtExit = 0

  package init() {}
}
