package import CRIMessages
package import HookMessages
internal import SwiftProtobuf

// The resources of both vocabularies have the same fields in the same units; only their types differ. What a plugin
// is shown has no fields that the hook protocol does not know, so unknown fields of CRI are not carried over.

extension LinuxContainerResources {
  package init(_ resources: CRILinuxContainerResources) {
    self.init()
    cpuPeriod = resources.cpuPeriod
    cpuQuota = resources.cpuQuota
    cpuShares = resources.cpuShares
    memoryLimitInBytes = resources.memoryLimitInBytes
    oomScoreAdj = resources.oomScoreAdj
    cpusetCpus = resources.cpusetCpus
    cpusetMems = resources.cpusetMems
    memorySwapLimitInBytes = resources.memorySwapLimitInBytes
    unified = resources.unified
    hugepageLimits = resources.hugepageLimits.map { limit in
      .with {
        $0.pageSize = limit.pageSize
        $0.limit = limit.limit
      }
    }
  }
}
