internal import HookMessages

/// Limits in the units of the Linux control groups; what is not set is absent.
package struct ResourcesDocument: Codable, Sendable, Hashable {
  package var cpuPeriod: Int64?
  package var cpuQuota: Int64?
  package var cpuShares: Int64?
  package var memoryLimitBytes: Int64?
  package var memorySwapLimitBytes: Int64?
  package var oomScoreAdj: Int64?
  package var cpusetCpus: String?
  package var cpusetMems: String?
  /// Bytes by page size.
  package var hugepageLimits: [String: UInt64]?
  package var unified: [String: String]?
}

extension ResourcesDocument {
  /// Nil if nothing is set.
  init?(_ resources: LinuxContainerResources) {
    guard resources != .init() else { return nil }
    cpuPeriod = resources.cpuPeriod.nonZero
    cpuQuota = resources.cpuQuota.nonZero
    cpuShares = resources.cpuShares.nonZero
    memoryLimitBytes = resources.memoryLimitInBytes.nonZero
    memorySwapLimitBytes = resources.memorySwapLimitInBytes.nonZero
    oomScoreAdj = resources.oomScoreAdj.nonZero
    cpusetCpus = resources.cpusetCpus.isEmpty ? nil : resources.cpusetCpus
    cpusetMems = resources.cpusetMems.isEmpty ? nil : resources.cpusetMems
    let limits = Dictionary(resources.hugepageLimits.map { ($0.pageSize, $0.limit) }) { $1 }
    hugepageLimits = limits.isEmpty ? nil : limits
    unified = resources.unified.isEmpty ? nil : resources.unified
  }
}

extension Int64 {
  fileprivate var nonZero: Int64? { self == 0 ? nil : self }
}
