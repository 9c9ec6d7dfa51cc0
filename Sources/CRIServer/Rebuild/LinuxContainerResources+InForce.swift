internal import HookMessages
internal import Store

extension LinuxContainerResources {
  /// Lays the values in force over what a container was created with.
  ///
  /// The runtime does not say which value came from an update and which is just how the kernel or the runtime begins.
  /// A plugin is to see what somebody asked for, so a value that creation did not ask for is taken over only
  /// - if the Store remembers that somebody asked for this field later, or
  /// - if it is not the value that one has without asking: a period of 100,000 us, no quota, 1,024 shares, memory
  ///   without limit. cpusets, huge page limits and unified keys are empty without asking (seen on containerd 1.6:
  ///   neither the status nor the specification fills in any).
  ///
  /// Swap and `oom_score_adj` stay: the runtime derives the one from the memory limit, and does not change the other.
  /// - Parameters:
  ///   - inForce: as the runtime told it; zero and empty fields were not told.
  ///   - remembered: the resources of the stale record, if there is one.
  mutating func overlay(inForce: LinuxContainerResources, remembered: LinuxContainerResources?) {
    var taken = inForce
    taken.oomScoreAdj = 0
    taken.memorySwapLimitInBytes = 0
    func drop(_ field: WritableKeyPath<LinuxContainerResources, Int64>, if isWithoutAsking: (Int64) -> Bool) {
      let wasAskedFor = self[keyPath: field] != 0 || (remembered?[keyPath: field] ?? 0) != 0
      if !wasAskedFor, isWithoutAsking(taken[keyPath: field]) { taken[keyPath: field] = 0 }
    }
    drop(\.cpuPeriod) { $0 == 100_000 }
    drop(\.cpuQuota) { $0 < 0 }
    drop(\.cpuShares) { $0 == 1024 }
    // cgroup v1 shows no limit as the largest multiple of the page size in 63 bits.
    drop(\.memoryLimitInBytes) { $0 < 0 || $0 > 1 << 62 }
    overlay(taken)
  }
}
