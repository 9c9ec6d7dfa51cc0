import CRIMessages
import CRIServer
import FuzzProperties
import RuntimeDispatcher
import SwiftProtobuf
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Plugins' changes written into CRI requests.
@Suite struct ChangesTests {
  // MARK: RunPodSandbox

  @Test func aPodTakesEveryChangeItCanCarry() throws {
    var request = CRIRunPodSandboxRequest.with { $0.config.labels = ["app": "web"] }
    try request.apply([
      Change(.label(key: "tier"), .text("gold")), Change(.annotation(key: "note"), .text("x")),
      Change(.cgroupParent, .text("/besteffort")), Change(.resource(.cpuShares), .number(2)),
      Change(.env(key: "A"), .text("ignored")),
    ])
    #expect(request.config.labels == ["app": "web", "tier": "gold"])
    #expect(request.config.annotations == ["note": "x"])
    #expect(request.config.linux.cgroupParent == "/besteffort")
    #expect(request.config.linux.resources.cpuShares == 2)
  }

  @Test func aPodWithoutLinuxStaysWithoutUnlessAChangeNeedsIt() throws {
    var request = CRIRunPodSandboxRequest.with { $0.config.labels = ["app": "web"] }
    try request.apply([Change(.label(key: "tier"), .text("gold"))])
    #expect(!request.config.hasLinux)
    try request.apply([Change(.cgroupParent, .text("/x"))])
    #expect(request.config.hasLinux && !request.config.linux.hasResources)
  }

  // MARK: CreateContainer

  @Test func aContainerWithoutLinuxStaysWithoutUnlessAChangeNeedsIt() {
    var request = CRICreateContainerRequest.with { $0.config.metadata.name = "c" }
    request.apply([Change(.env(key: "A"), .text("1")), Change(.annotation(key: "note"), .text("x"))])
    #expect(!request.config.hasLinux && !request.hasSandboxConfig)
    request.apply([Change(.resource(.cpuQuota), .number(-1))])
    #expect(request.config.linux.resources.cpuQuota == -1)
  }

  @Test func theCgroupParentOfAContainerGoesIntoItsSandboxConfig() {
    var request = CRICreateContainerRequest()
    request.apply([Change(.cgroupParent, .text("/batch"))])
    #expect(request.sandboxConfig.linux.cgroupParent == "/batch")
  }

  @Test func everyResourceFieldIsWritten() {
    var request = CRICreateContainerRequest()
    request.apply([
      Change(.resource(.cpuPeriod), .number(1)), Change(.resource(.cpuQuota), .number(2)),
      Change(.resource(.cpuShares), .number(3)), Change(.resource(.memoryLimit), .number(4)),
      Change(.resource(.oomScoreAdj), .number(5)), Change(.resource(.cpusetCPUs), .text("6")),
      Change(.resource(.cpusetMems), .text("7")), Change(.resource(.memorySwapLimit), .number(8)),
      Change(.unified(key: "memory.high"), .text("9")), Change(.hugepageLimit(pageSize: "2MB"), .limit(10)),
    ])
    let expected = CRILinuxContainerResources.with {
      $0.cpuPeriod = 1
      $0.cpuQuota = 2
      $0.cpuShares = 3
      $0.memoryLimitInBytes = 4
      $0.oomScoreAdj = 5
      $0.cpusetCpus = "6"
      $0.cpusetMems = "7"
      $0.memorySwapLimitInBytes = 8
      $0.unified = ["memory.high": "9"]
      $0.hugepageLimits = [limit("2MB", 10)]
    }
    #expect(request.config.linux.resources == expected)
  }

  @Test func aClearedCpusetIsEmpty() {
    var request = CRICreateContainerRequest.with { $0.config.linux.resources.cpusetCpus = "0-3" }
    request.apply([Change(.resource(.cpusetCPUs), .cleared)])
    #expect(request.config.linux.resources.cpusetCpus == "")
  }

  @Test func aHugePageLimitReplacesEveryEntryOfItsSize() {
    var request = CRICreateContainerRequest.with {
      $0.config.linux.resources.hugepageLimits = [limit("2MB", 1), limit("1GB", 2), limit("2MB", 3)]
    }
    request.apply([Change(.hugepageLimit(pageSize: "2MB"), .limit(9))])
    #expect(request.config.linux.resources.hugepageLimits == [limit("2MB", 9), limit("1GB", 2), limit("2MB", 9)])
  }

  @Test func anEnvReplacesTheLastEntryOfItsKeyInPlace() {
    var request = CRICreateContainerRequest.with {
      $0.config.envs = [env("A", "1"), env("B", "2"), env("A", "3"), env("C", "4")]
    }
    request.apply([Change(.env(key: "A"), .text("9"))])
    #expect(request.config.envs == [env("A", "1"), env("B", "2"), env("A", "9"), env("C", "4")])
  }

  @Test func newEnvsAreAppendedInByteOrder() {
    var request = CRICreateContainerRequest.with { $0.config.envs = [env("Z", "1")] }
    request.apply(["é", "b", "B", "a"].map { Change(.env(key: $0), .text("v")) })
    #expect(request.config.envs.map(\.key) == ["Z", "B", "a", "b", "é"])
  }

  @Test func aValueOfTheWrongKindIsPassedOver() {
    var request = CRICreateContainerRequest()
    request.apply([Change(.env(key: "A"), .number(1)), Change(.annotation(key: "a"), .cleared)])
    #expect(request == CRICreateContainerRequest())
  }

  // MARK: UpdateContainerResources

  @Test func anUpdateCarriesWhatKubeletAskedAndWhatPluginsChanged() {
    var request = CRIUpdateContainerResourcesRequest.with { $0.linux.cpuShares = 100 }
    request.apply([Change(.resource(.cpuQuota), .number(5)), Change(.annotation(key: "a"), .text("b"))])
    #expect(request.linux == .with { ($0.cpuShares, $0.cpuQuota) = (100, 5) })
    #expect(request.annotations == ["a": "b"])
  }

  @Test func clearingAtUpdateTakesKubeletsCpusetOutAndCreatesNothing() {
    var request = CRIUpdateContainerResourcesRequest.with { $0.linux.cpusetCpus = "0-3" }
    request.apply([Change(.resource(.cpusetCPUs), .cleared)])
    #expect(request.hasLinux && request.linux.cpusetCpus.isEmpty)
    var bare = CRIUpdateContainerResourcesRequest()
    bare.apply([Change(.resource(.cpusetCPUs), .cleared)])
    #expect(!bare.hasLinux)
  }

  @Test func ourOwnUpdateHasOnlyTheChangedResources() {
    let request = CRIUpdateContainerResourcesRequest(
      [
        Change(.resource(.cpuShares), .number(7)), Change(.annotation(key: "a"), .text("b")),
        Change(.resource(.cpusetMems), .cleared), Change(.unified(key: "cpu.idle"), .text("1")),
      ], containerID: "c")
    let expected = CRIUpdateContainerResourcesRequest.with {
      $0.containerID = "c"
      $0.linux.cpuShares = 7
      $0.linux.unified = ["cpu.idle": "1"]
    }
    #expect(request == expected)
  }

  @Test func noUpdateOfOurOwnWithoutAChangedResource() {
    let changes = [Change(.annotation(key: "a"), .text("b")), Change(.resource(.cpusetCPUs), .cleared)]
    #expect(CRIUpdateContainerResourcesRequest(changes, containerID: "c") == nil)
  }

  private func env(_ key: String, _ value: String) -> CRIKeyValue {
    .with {
      $0.key = key
      $0.value = Data(value.utf8)
    }
  }

  private func limit(_ pageSize: String, _ bytes: UInt64) -> CRIHugepageLimit {
    .with {
      $0.pageSize = pageSize
      $0.limit = bytes
    }
  }
}
