internal import HookMessages

/// The part of a container's OCI runtime specification (opencontainers/runtime-spec, config.md and config-linux.md)
/// that tells what is in force. containerd keeps it up to date at UpdateContainerResources.
struct RuntimeSpec: Decodable {
  struct Process: Decodable {
    /// `KEY=value`; the image's environment comes first, a key may occur again.
    var env: [String]?
  }

  struct Linux: Decodable {
    var cgroupsPath: String?
    var resources: Resources?
  }

  struct Resources: Decodable {
    struct CPU: Decodable {
      var shares: JSONInteger?
      var quota: JSONInteger?
      var period: JSONInteger?
      var cpus: String?
      var mems: String?
    }

    struct Memory: Decodable {
      var limit: JSONInteger?
    }

    struct HugepageLimit: Decodable {
      var pageSize: String?
      var limit: JSONInteger?
    }

    var cpu: CPU?
    var memory: Memory?
    var hugepageLimits: [HugepageLimit]?
    var unified: [String: String]?
  }

  var process: Process?
  var linux: Linux?
}

extension LinuxContainerResources {
  init(_ resources: RuntimeSpec.Resources) {
    self.init()
    cpuPeriod = resources.cpu?.period?.value ?? 0
    cpuQuota = resources.cpu?.quota?.value ?? 0
    cpuShares = resources.cpu?.shares?.value ?? 0
    memoryLimitInBytes = resources.memory?.limit?.value ?? 0
    cpusetCpus = resources.cpu?.cpus ?? ""
    cpusetMems = resources.cpu?.mems ?? ""
    unified = resources.unified ?? [:]
    for limit in resources.hugepageLimits ?? [] {
      hugepageLimits.append(HugepageLimit(pageSize: limit.pageSize ?? "", bytes: limit.limit?.value ?? 0))
    }
  }
}
