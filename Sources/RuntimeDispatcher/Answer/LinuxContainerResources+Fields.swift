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

  /// What is said about `field`; nil if nothing is, or if it is no field of resources. Of several entries for
  /// one page size the last is in force.
  package func value(of field: Field) -> FieldValue? {
    switch field {
    case .resource(let field): self[field]
    case .hugepageLimit(let pageSize): hugepageLimits.last { $0.pageSize == pageSize }.map { .limit($0.limit) }
    case .unified(let key): unified[key].map { .text($0) }
    case .label, .annotation, .cgroupParent, .env: nil
    }
  }

  /// Makes the change, if it is one of resources.
  package mutating func apply(_ change: Change) {
    switch change.field {
    case .resource(let field): self[field] = change.value
    case .hugepageLimit(let pageSize):
      guard let limit = change.value.limit else { return }
      if let index = hugepageLimits.lastIndex(where: { $0.pageSize == pageSize }) {
        hugepageLimits[index].limit = limit
      } else {
        hugepageLimits.append(
          .with {
            $0.pageSize = pageSize; $0.limit = limit
          })
      }
    case .unified(let key): unified[key] = change.value.text ?? unified[key]
    case .label, .annotation, .cgroupParent, .env: break
    }
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
