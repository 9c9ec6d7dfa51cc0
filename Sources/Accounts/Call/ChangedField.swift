/// A field of a pod sandbox or container, as an account names it.
package struct ChangedField: Sendable, Hashable {
  /// Named as CRI names them; the values of a metric's label.
  package enum Kind: String, Sendable, CaseIterable {
    case label, annotation
    case cgroupParent = "cgroup_parent"
    case cpuPeriod = "cpu_period"
    case cpuQuota = "cpu_quota"
    case cpuShares = "cpu_shares"
    case memoryLimit = "memory_limit_in_bytes"
    case oomScoreAdj = "oom_score_adj"
    case cpusetCPUs = "cpuset_cpus"
    case cpusetMems = "cpuset_mems"
    case memorySwapLimit = "memory_swap_limit_in_bytes"
    case hugepageLimit = "hugepage_limits"
    case unified, env
  }

  package let kind: Kind
  /// Of a map's entry; a page size; empty for the others. At most ``ShownValue/limitBytes``.
  package let key: String

  package init(_ kind: Kind, key: String = "") {
    self.kind = kind
    self.key = ShownValue.cut(key)
  }

  /// Whether values of this field may not be told.
  package var isSecret: Bool {
    switch kind {
    case .env: true
    case .label, .annotation: SecretKey.looksSecret(key)
    case .cgroupParent, .cpuPeriod, .cpuQuota, .cpuShares, .memoryLimit, .oomScoreAdj, .cpusetCPUs, .cpusetMems,
      .memorySwapLimit, .hugepageLimit, .unified:
      false
    }
  }
}

extension ChangedField: CustomStringConvertible {
  /// Such as `cpu_shares` or `annotation example.com/class`.
  package var description: String { key.isEmpty ? kind.rawValue : "\(kind.rawValue) \(key)" }
}
