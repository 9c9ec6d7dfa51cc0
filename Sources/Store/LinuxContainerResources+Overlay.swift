package import HookMessages

extension LinuxContainerResources {
  /// Lays newer resources over these, as a runtime does at an update: zero and empty mean "as it was"; `unified` goes
  /// by key, huge page limits go by page size.
  package mutating func overlay(_ newer: LinuxContainerResources) {
    if newer.cpuPeriod != 0 { cpuPeriod = newer.cpuPeriod }
    if newer.cpuQuota != 0 { cpuQuota = newer.cpuQuota }
    if newer.cpuShares != 0 { cpuShares = newer.cpuShares }
    if newer.memoryLimitInBytes != 0 { memoryLimitInBytes = newer.memoryLimitInBytes }
    if newer.oomScoreAdj != 0 { oomScoreAdj = newer.oomScoreAdj }
    if !newer.cpusetCpus.isEmpty { cpusetCpus = newer.cpusetCpus }
    if !newer.cpusetMems.isEmpty { cpusetMems = newer.cpusetMems }
    if newer.memorySwapLimitInBytes != 0 { memorySwapLimitInBytes = newer.memorySwapLimitInBytes }
    unified.merge(newer.unified) { _, new in new }
    overlay(newer.hugepageLimits)
  }

  /// By way of an index: a plugin may answer as many as fit into its message.
  private mutating func overlay(_ newer: [HugepageLimit]) {
    guard !newer.isEmpty else { return }
    var places = Dictionary(hugepageLimits.enumerated().map { ($1.pageSize, $0) }) { first, _ in first }
    for limit in newer {
      if let place = places[limit.pageSize] {
        hugepageLimits[place] = limit
      } else {
        places[limit.pageSize] = hugepageLimits.count
        hugepageLimits.append(limit)
      }
    }
  }
}
