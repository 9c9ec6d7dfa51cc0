internal import CRIMessages
internal import RuntimeDispatcher
internal import SwiftProtobuf

extension CRILinuxContainerResources {
  /// Sets the resource field that `change` is about; a change of another field is passed over.
  mutating func apply(_ change: Change) {
    switch change.field {
    case .resource(let field): apply(change.value, to: field)
    case .hugepageLimit(let pageSize): if let limit = change.value.limit { setHugepageLimit(limit, of: pageSize) }
    case .unified(let key): if let text = change.value.text { unified[key] = text }
    case .label, .annotation, .cgroupParent, .env: break
    }
  }

  private mutating func apply(_ value: FieldValue, to field: ResourceField) {
    switch field {
    case .cpuPeriod: cpuPeriod = value.number ?? cpuPeriod
    case .cpuQuota: cpuQuota = value.number ?? cpuQuota
    case .cpuShares: cpuShares = value.number ?? cpuShares
    case .memoryLimit: memoryLimitInBytes = value.number ?? memoryLimitInBytes
    case .oomScoreAdj: oomScoreAdj = value.number ?? oomScoreAdj
    case .cpusetCPUs: cpusetCpus = value.cpuset ?? cpusetCpus
    case .cpusetMems: cpusetMems = value.cpuset ?? cpusetMems
    case .memorySwapLimit: memorySwapLimitInBytes = value.number ?? memorySwapLimitInBytes
    }
  }

  /// Replaces every entry of the page size, so that none of them contradicts the change.
  private mutating func setHugepageLimit(_ limit: UInt64, of pageSize: String) {
    let indices = hugepageLimits.indices.filter { hugepageLimits[$0].pageSize == pageSize }
    for index in indices { hugepageLimits[index].limit = limit }
    guard indices.isEmpty else { return }
    hugepageLimits.append(
      .with {
        $0.pageSize = pageSize
        $0.limit = limit
      })
  }
}
