package import HookMessages
internal import SwiftProtobuf

extension LinuxContainerResources {
  /// What a scalar field says; nil for empty and zero. Setting a value of another kind than the field's
  /// changes nothing.
  package subscript(field: ResourceField) -> FieldValue? {
    get {
      switch field {
      case .cpuPeriod: FieldValue(nonZero: cpuPeriod)
      case .cpuQuota: FieldValue(nonZero: cpuQuota)
      case .cpuShares: FieldValue(nonZero: cpuShares)
      case .memoryLimit: FieldValue(nonZero: memoryLimitInBytes)
      case .oomScoreAdj: FieldValue(nonZero: oomScoreAdj)
      case .cpusetCPUs: FieldValue(nonEmpty: cpusetCpus)
      case .cpusetMems: FieldValue(nonEmpty: cpusetMems)
      case .memorySwapLimit: FieldValue(nonZero: memorySwapLimitInBytes)
      }
    }
    set {
      switch field {
      case .cpuPeriod: cpuPeriod = newValue?.number ?? cpuPeriod
      case .cpuQuota: cpuQuota = newValue?.number ?? cpuQuota
      case .cpuShares: cpuShares = newValue?.number ?? cpuShares
      case .memoryLimit: memoryLimitInBytes = newValue?.number ?? memoryLimitInBytes
      case .oomScoreAdj: oomScoreAdj = newValue?.number ?? oomScoreAdj
      case .cpusetCPUs: cpusetCpus = newValue?.cpuset ?? cpusetCpus
      case .cpusetMems: cpusetMems = newValue?.cpuset ?? cpusetMems
      case .memorySwapLimit: memorySwapLimitInBytes = newValue?.number ?? memorySwapLimitInBytes
      }
    }
  }

  /// Makes those of the changes that are of resources. Of several entries for one page size the last is in force.
  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would copy them.
    var limits = hugepageLimits
    var unified = unified
    hugepageLimits = []
    self.unified = [:]
    // Once for all changes, of which a plugin may want as many as there are entries.
    var limitIndex = Dictionary(limits.enumerated().map { ($1.pageSize, $0) }) { $1 }
    for change in changes {
      switch change.field {
      case .resource(let field): self[field] = change.value
      case .hugepageLimit(let pageSize):
        guard let limit = change.value.limit else { continue }
        if let index = limitIndex[pageSize] {
          limits[index].limit = limit
        } else {
          limitIndex[pageSize] = limits.count
          limits.append(.with { ($0.pageSize, $0.limit) = (pageSize, limit) })
        }
      case .unified(let key): unified[key] = change.value.text ?? unified[key]
      case .label, .annotation, .cgroupParent, .env: break
      }
    }
    hugepageLimits = limits
    self.unified = unified
  }
}

extension ResourceField {
  /// Whether it is one of the numbers; the others are the two cpusets.
  var isNumber: Bool {
    switch self {
    case .cpuPeriod, .cpuQuota, .cpuShares, .memoryLimit, .oomScoreAdj, .memorySwapLimit: true
    case .cpusetCPUs, .cpusetMems: false
    }
  }
}
