import CRIMessages
import CRIServer
import FuzzProperties
import HookMessages
import RuntimeDispatcher
import Store
import SwiftProtobuf
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Hook requests and records made from CRI requests.
@Suite struct HookRequestTests {
  @Test func aPodsHookRequestHoldsWhatKubeletAsked() throws {
    let request = try told(
      CRIRunPodSandboxRequest.with {
        $0.config = podConfig
        $0.runtimeHandler = "kata"
      })
    let expected = PodSandboxHookRequest.with {
      $0.podMeta = .with { ($0.name, $0.uid, $0.namespace, $0.attempt) = ("web-0", "0a1b", "shop", 3) }
      $0.runtimeHandler = "kata"
      $0.labels = ["app": "web"]
      $0.annotations = ["team": "blue"]
      $0.cgroupParent = "/kubepods/pod1"
      $0.overhead.cpuShares = 7
      $0.resources.memoryLimitInBytes = 1 << 30
    }
    #expect(request == expected)
  }

  @Test func whatKubeletLeavesOutIsLeftOut() throws {
    #expect(try told(CRIRunPodSandboxRequest()) == PodSandboxHookRequest())
    #expect(ContainerResourceHookRequest(CRICreateContainerRequest(), pod: nil) == ContainerResourceHookRequest())
  }

  @Test func resourcesKeepTheirNumbers() {
    let resources = CRILinuxContainerResources.with {
      ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (1, -1, 3, 4)
      ($0.oomScoreAdj, $0.cpusetCpus, $0.cpusetMems, $0.memorySwapLimitInBytes) = (-5, "6", "7", 8)
      $0.unified = ["a": "b"]
      $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", .max) }]
    }
    let expected = LinuxContainerResources.with {
      ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (1, -1, 3, 4)
      ($0.oomScoreAdj, $0.cpusetCpus, $0.cpusetMems, $0.memorySwapLimitInBytes) = (-5, "6", "7", 8)
      $0.unified = ["a": "b"]
      $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", .max) }]
    }
    #expect(LinuxContainerResources(resources) == expected)
  }

  @Test func aContainersHookRequestHoldsItAndItsPod() {
    let request = ContainerResourceHookRequest(createRequest, pod: nil)
    #expect(request.podMeta.name == "web-0")
    #expect(request.podLabels == ["app": "web"])
    #expect(request.podCgroupParent == "/kubepods/pod1")
    #expect(request.podResources.memoryLimitInBytes == 1 << 30)
    #expect(request.containerMeta == .with { ($0.name, $0.attempt) = ("nginx", 2) })
    #expect(request.containerAnnotations == ["size": "small"])
    #expect(request.containerResources.cpuShares == 512)
    #expect(request.containerEnvs == ["A": "2"])
  }

  @Test func thePodsResourcesComeFromItsRecord() {
    let pod = PodRecord(.with { $0.resources.cpuShares = 99 }, changes: nil)
    #expect(ContainerResourceHookRequest(createRequest, pod: pod).podResources == .with { $0.cpuShares = 99 })
  }

  @Test func withoutASandboxConfigThePodsRecordSpeaks() {
    var request = createRequest
    request.clearSandboxConfig()
    let pod = PodRecord(PodSandboxHookRequest(podConfig, runtimeHandler: ""), changes: nil)
    #expect(ContainerResourceHookRequest(request, pod: pod) == ContainerResourceHookRequest(createRequest, pod: pod))
  }

  @Test func theRecordOfACreatedContainerLeavesThePodOut() {
    let pod = PodRecord(PodSandboxHookRequest(podConfig, runtimeHandler: ""), changes: nil)
    let record = ContainerRecord(created: createRequest, id: "c1", pod: pod)
    #expect(record.podSandboxID == "p1" && record.id == "c1" && !record.isStale)
    #expect(!record.request.hasPodMeta && record.request.podLabels.isEmpty && record.request.podCgroupParent.isEmpty)
    #expect(record.request.containerEnvs == ["A": "2"])
  }

  @Test func theRecordOfACreatedContainerKeepsItsOwnCgroupParent() {
    let pod = PodRecord(PodSandboxHookRequest(podConfig, runtimeHandler: ""), changes: nil)
    var request = createRequest
    request.apply([Change(.cgroupParent, .text("/batch"))])
    #expect(ContainerRecord(created: request, id: "c1", pod: pod).request.podCgroupParent == "/batch")
  }

  @Test func anUpdateIsShownOnTopOfWhatIsRemembered() {
    var request = ContainerResourceHookRequest(createRequest, pod: nil)
    request.overlay(
      CRIUpdateContainerResourcesRequest.with {
        $0.linux.cpuQuota = 5
        $0.annotations = ["new": "1"]
      })
    #expect(request.containerResources == .with { ($0.cpuShares, $0.cpuQuota) = (512, 5) })
    #expect(request.containerAnnotations == ["size": "small", "new": "1"])
  }

  // MARK: Envs

  @Test func aKeyIsHiddenIfItsLastEntryIsNotText() {
    let envs = VisibleEnvs([
      env("A", "1"), env("B", "2"), env("A", [0xff]), env("C", [0xfe]), env("C", "3"), env("A", [0xc3, 0x28]),
    ])
    #expect(envs.values == ["B": "2", "C": "3"])
    #expect(envs.hiddenKeys == ["A"])
  }

  // MARK: Recorded changes

  @Test func recordsWhatMustBeAppliedAgain() {
    let changes = PodSandboxHookResponse(recording: [
      Change(.label(key: "l"), .text("1")), Change(.annotation(key: "a"), .text("2")),
      Change(.cgroupParent, .text("/x")), Change(.resource(.cpuShares), .number(4)),
    ])
    let expected = PodSandboxHookResponse.with {
      $0.labels = ["l": "1"]
      $0.annotations = ["a": "2"]
      $0.cgroupParent = "/x"
    }
    #expect(changes == expected)
    #expect(!changes.isEmpty && PodSandboxHookResponse(recording: []).isEmpty)
  }

  @Test func reconstructsWhatTheRuntimeHasAndKubeletLacks() {
    let pod = PodSandboxHookRequest.with {
      $0.labels = ["app": "changed", "tier": "gold"]
      $0.annotations = ["team": "blue", "note": "x"]
      $0.cgroupParent = "/besteffort"
    }
    let expected = PodSandboxHookResponse.with {
      $0.labels = ["tier": "gold"]
      $0.annotations = ["note": "x"]
      $0.cgroupParent = "/besteffort"
    }
    #expect(PodSandboxHookResponse(reconstructedFrom: pod, kubelet: podConfig, rules: HookRules()) == expected)
  }

  @Test func reconstructsNoKeyThatAPluginMayNotAdd() {
    let pod = PodSandboxHookRequest.with {
      $0.labels = [
        "runtimeproxy.koordinator.sh/skip-hookserver": "true", "io.kubernetes.pod.old": "x", "io.kubernetes.free": "1",
      ]
      $0.annotations = ["kubernetes.io/config.source": "file", "io.kubernetes.container.old": "x"]
      $0.cgroupParent = podConfig.linux.cgroupParent
    }
    let expected = PodSandboxHookResponse.with { $0.labels = ["io.kubernetes.free": "1"] }
    #expect(PodSandboxHookResponse(reconstructedFrom: pod, kubelet: podConfig, rules: HookRules()) == expected)
  }

  @Test func reconstructsNothingFromAPodThatNobodyChanged() {
    let pod = PodSandboxHookRequest(podConfig, runtimeHandler: "")
    #expect(PodSandboxHookResponse(reconstructedFrom: pod, kubelet: podConfig, rules: HookRules()).isEmpty)
  }

  @Test func recordedChangesGoIntoWhatKubeletSends() {
    var config = podConfig
    config.apply(
      PodSandboxHookResponse.with {
        $0.labels = ["app": "changed"]
        $0.annotations = ["note": "x"]
        $0.cgroupParent = "/besteffort"
      })
    #expect(config.labels == ["app": "changed"])
    #expect(config.annotations == ["team": "blue", "note": "x"])
    #expect(config.linux.cgroupParent == "/besteffort")
    var bare = CRIPodSandboxConfig()
    bare.apply(PodSandboxHookResponse.with { $0.labels = ["a": "b"] })
    #expect(!bare.hasLinux)
  }

  // MARK: Samples

  /// What a plugin is told about a pod, decoded.
  private func told(_ request: CRIRunPodSandboxRequest) throws -> PodSandboxHookRequest {
    let request = try RunPodSandboxRequest(message: request.serializedBytes())
    return try PodSandboxHookRequest(serializedBytes: request.pod.message)
  }

  private let podConfig = CRIPodSandboxConfig.with {
    $0.metadata = .with { ($0.name, $0.uid, $0.namespace, $0.attempt) = ("web-0", "0a1b", "shop", 3) }
    $0.labels = ["app": "web"]
    $0.annotations = ["team": "blue"]
    $0.linux.cgroupParent = "/kubepods/pod1"
    $0.linux.overhead.cpuShares = 7
    $0.linux.resources.memoryLimitInBytes = 1 << 30
  }

  private var createRequest: CRICreateContainerRequest {
    .with {
      $0.podSandboxID = "p1"
      $0.config.metadata = .with { ($0.name, $0.attempt) = ("nginx", 2) }
      $0.config.annotations = ["size": "small"]
      $0.config.envs = [env("A", "1"), env("A", "2")]
      $0.config.linux.resources.cpuShares = 512
      $0.sandboxConfig = podConfig
    }
  }

  private func env(_ key: String, _ value: String) -> CRIKeyValue { env(key, Array(value.utf8)) }

  private func env(_ key: String, _ value: [UInt8]) -> CRIKeyValue {
    .with {
      $0.key = key
      $0.value = Data(value)
    }
  }
}
