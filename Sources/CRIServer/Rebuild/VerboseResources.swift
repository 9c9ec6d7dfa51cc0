internal import HookMessages

/// `LinuxContainerResources` in the JSON of a verbose status: CRI's names, zero fields absent.
struct VerboseResources: Decodable {
  struct HugepageLimit: Decodable {
    var pageSize: String?
    var limit: JSONInteger?

    enum CodingKeys: String, CodingKey {
      case pageSize = "page_size"
      case limit
    }
  }

  var cpuPeriod: JSONInteger?
  var cpuQuota: JSONInteger?
  var cpuShares: JSONInteger?
  var memoryLimit: JSONInteger?
  var oomScoreAdj: JSONInteger?
  var cpusetCPUs: String?
  var cpusetMems: String?
  var hugepageLimits: [HugepageLimit]?
  var unified: [String: String]?
  var memorySwapLimit: JSONInteger?

  enum CodingKeys: String, CodingKey {
    case cpuPeriod = "cpu_period"
    case cpuQuota = "cpu_quota"
    case cpuShares = "cpu_shares"
    case memoryLimit = "memory_limit_in_bytes"
    case oomScoreAdj = "oom_score_adj"
    case cpusetCPUs = "cpuset_cpus"
    case cpusetMems = "cpuset_mems"
    case hugepageLimits = "hugepage_limits"
    case unified
    case memorySwapLimit = "memory_swap_limit_in_bytes"
  }
}

extension LinuxContainerResources {
  init(_ resources: VerboseResources) {
    self.init()
    cpuPeriod = resources.cpuPeriod?.value ?? 0
    cpuQuota = resources.cpuQuota?.value ?? 0
    cpuShares = resources.cpuShares?.value ?? 0
    memoryLimitInBytes = resources.memoryLimit?.value ?? 0
    oomScoreAdj = resources.oomScoreAdj?.value ?? 0
    cpusetCpus = resources.cpusetCPUs ?? ""
    cpusetMems = resources.cpusetMems ?? ""
    memorySwapLimitInBytes = resources.memorySwapLimit?.value ?? 0
    unified = resources.unified ?? [:]
    for limit in resources.hugepageLimits ?? [] {
      hugepageLimits.append(HugepageLimit(pageSize: limit.pageSize ?? "", bytes: limit.limit?.value ?? 0))
    }
  }
}

extension HugepageLimit {
  init(pageSize: String, bytes: Int64) {
    self.init()
    self.pageSize = pageSize
    limit = UInt64(clamping: bytes)
  }
}
