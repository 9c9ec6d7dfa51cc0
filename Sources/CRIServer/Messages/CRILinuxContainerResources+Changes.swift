internal import CRIMessages
internal import RuntimeDispatcher
internal import SwiftProtobuf

extension CRILinuxContainerResources {
  /// Makes those of the changes that are of resources. A huge page limit replaces every entry of its page size, so that
  /// none of them contradicts it.
  mutating func apply(_ changes: [Change]) {
    // Once for all changes, of which a plugin may want as many as there are entries.
    var limits: [(pageSize: String, limit: UInt64)] = []
    var changed = unified
    for change in changes {
      switch change.field {
      case .resource(let field): apply(change.value, to: field)
      case .hugepageLimit(let pageSize): if let limit = change.value.limit { limits.append((pageSize, limit)) }
      case .unified(let key): if let text = change.value.text { changed[key] = text }
      case .label, .annotation, .cgroupParent, .env: break
      }
    }
    if changed != unified { unified = changed }
    setHugepageLimits(limits)
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

  private mutating func setHugepageLimits(_ limits: [(pageSize: String, limit: UInt64)]) {
    guard !limits.isEmpty else { return }
    let wanted = Dictionary(limits.map { ($0.pageSize, $0.limit) }) { $1 }
    var present: Set<String> = []
    for index in hugepageLimits.indices {
      guard let limit = wanted[hugepageLimits[index].pageSize] else { continue }
      hugepageLimits[index].limit = limit
      present.insert(hugepageLimits[index].pageSize)
    }
    for (pageSize, limit) in limits where present.insert(pageSize).inserted {
      hugepageLimits.append(.with { ($0.pageSize, $0.limit) = (pageSize, wanted[pageSize] ?? limit) })
    }
  }
}
