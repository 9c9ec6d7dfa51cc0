package import PluginsManager

/// One field of a pod sandbox or container that a plugin may have an opinion on: the unit of ownership
/// (design, "Ownership"). Each map key, env and page size is a field of its own.
package enum Field: Hashable, Sendable {
  case label(key: String)
  case annotation(key: String)
  case cgroupParent
  case resource(ResourceField)
  case hugepageLimit(pageSize: String)
  case unified(key: String)
  case env(key: String)
}

/// The scalar fields of `LinuxContainerResources`, named as CRI names them.
package enum ResourceField: String, Hashable, Sendable, CaseIterable {
  case cpuPeriod = "cpu_period"
  case cpuQuota = "cpu_quota"
  case cpuShares = "cpu_shares"
  case memoryLimit = "memory_limit_in_bytes"
  case oomScoreAdj = "oom_score_adj"
  case cpusetCPUs = "cpuset_cpus"
  case cpusetMems = "cpuset_mems"
  case memorySwapLimit = "memory_swap_limit_in_bytes"
}

/// What a plugin wants a field to be.
package enum FieldValue: Hashable, Sendable {
  /// A numeric resource field, in the field's own unit.
  case number(Int64)
  /// A huge page limit, bytes.
  case limit(UInt64)
  case text(String)
  /// Only for the two cpusets, and only from a whole-state answer.
  case cleared
}

/// A plugin's opinion on one field.
package struct Change: Hashable, Sendable {
  package var field: Field
  package var value: FieldValue

  package init(_ field: Field, _ value: FieldValue) {
    self.field = field
    self.value = value
  }
}

/// A change that took effect, with the plugin to which its field belongs for the rest of the CRI call.
package struct OwnedChange: Hashable, Sendable {
  package var change: Change
  package var plugin: Plugin

  package init(_ change: Change, by plugin: Plugin) {
    self.change = change
    self.plugin = plugin
  }
}
