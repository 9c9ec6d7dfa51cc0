import CRIMessages
import CRIServer
import HookMessages
import Store
import SwiftProtobuf
import Testing

/// Records made from verbose statuses. The samples are of the shape that containerd 1.6.20 answers.
@Suite struct VerboseStatusTests {
  // MARK: Pods

  @Test func aPodIsReadFromItsOriginalConfig() {
    let record = VerbosePodStatus(Self.podStatus(info: Self.podInfo)).record(remembered: nil)
    let expected = PodSandboxHookRequest.with {
      $0.podMeta = .with { ($0.name, $0.uid, $0.namespace, $0.attempt) = ("web-0", "0a1b", "shop", 2) }
      $0.runtimeHandler = "kata"
      $0.labels = ["app": "web"]
      $0.annotations = ["team": "blue"]
      $0.cgroupParent = "/kubepods/pod0a1b"
      $0.overhead.cpuShares = 7
      $0.resources = .with { ($0.cpuShares, $0.memoryLimitInBytes) = (1024, 1 << 30) }
    }
    #expect(record == PodRecord(expected, changes: nil))
  }

  @Test(arguments: [
    nil, "", "[]", #"{"config": 7}"#, #"{"pid": 12}"#,
    // The library traps if the text ends at its 513th level, and takes what has a zero byte for UTF-16.
    String(repeating: "[", count: 513),
    #"{"config": {"labels": {"app": "deep"}}, "x": "# + String(repeating: "[", count: 512),
    #"{"config": {"labels": {"app": "deep"}}, "x": "# + String(repeating: "[", count: 100_000),
    #"{"config": {"labels": {"app": "zero"}}}"# + "\0",
  ])
  func aPodWithoutItsConfigHasWhatThePlainStatusGives(info: String?) {
    let record = VerbosePodStatus(Self.podStatus(info: info)).record(remembered: nil)
    let expected = PodSandboxHookRequest.with {
      $0.podMeta = .with { ($0.name, $0.uid, $0.namespace) = ("web-0", "0a1b", "shop") }
      $0.runtimeHandler = "plain"
      $0.labels = ["app": "status"]
    }
    #expect(record == PodRecord(expected, changes: nil))
  }

  @Test func aPodThatIsReadAnewKeepsItsChangesAndItsResources() {
    let changes = PodSandboxHookResponse.with { $0.labels = ["tier": "gold"] }
    let stale = PodRecord(.with { $0.resources.cpuShares = 2048 }, changes: changes, isStale: true)
    let record = VerbosePodStatus(Self.podStatus(info: Self.podInfo)).record(remembered: stale)
    #expect(record.changes == changes)
    #expect(record.request.resources == .with { $0.cpuShares = 2048 })
    #expect(record.request.labels == ["app": "web"] && !record.isStale)
  }

  // MARK: Containers

  @Test func aContainerIsReadFromItsOriginalConfigAndTheValuesInForce() {
    let status = VerboseContainerStatus(Self.containerStatus(info: Self.containerInfo(path: "/kubepods/pod0a1b/c1")))
    #expect(status.podSandboxID == "p1")
    let record = status.record(id: "c1", podSandboxID: "p1", pod: Self.pod, remembered: nil)
    let expected = ContainerResourceHookRequest.with {
      $0.containerMeta = .with { ($0.name, $0.attempt, $0.id) = ("nginx", 1, "c1") }
      $0.containerAnnotations = ["size": "small"]
      $0.containerEnvs = ["A": "2", "EMPTY": ""]
      $0.containerResources = .with {
        ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares) = (100_000, 50_000, 300)
        ($0.memoryLimitInBytes, $0.oomScoreAdj) = (134_217_728, 500)
        $0.hugepageLimits = [.with { $0.pageSize = "2MB" }]
      }
    }
    #expect(record == ContainerRecord(podSandboxID: "p1", expected))
  }

  @Test func theStatusSpeaksBeforeTheSpecification() {
    var response = Self.containerStatus(info: Self.containerInfo(path: "/kubepods/pod0a1b/c1"))
    response.status.resources.linux = .with {
      ($0.cpuShares, $0.cpusetCpus, $0.oomScoreAdj, $0.memorySwapLimitInBytes) = (77, "0-1", 1, 2)
    }
    let resources = record(response).containerResources
    #expect(resources.cpuShares == 77 && resources.cpusetCpus == "0-1")
    #expect(resources.memoryLimitInBytes == 67_108_864, "not told, so as in the config")
    #expect(resources.oomScoreAdj == 500 && resources.memorySwapLimitInBytes == 0)
  }

  @Test func numbersMayBeStrings() {
    let info = #"""
      {"sandboxID": "p1", "config": {"metadata": {"name": "nginx", "attempt": "4"}, "linux": {"resources":
      {"cpu_shares": "12", "memory_limit_in_bytes": "9007199254740993",
      "hugepage_limits": [{"page_size": "2MB", "limit": "18446744073709551615"}]}}}}
      """#
    let request = record(Self.containerStatus(info: info))
    #expect(request.containerMeta.attempt == 4)
    #expect(request.containerResources.cpuShares == 12)
    #expect(request.containerResources.memoryLimitInBytes == 9_007_199_254_740_993)
    #expect(request.containerResources.hugepageLimits.first?.limit == UInt64(Int64.max))
  }

  @Test func aContainerWithoutItsConfigHasWhatThePlainStatusGives() {
    let request = record(Self.containerStatus(info: nil))
    #expect(
      request
        == .with {
          $0.containerMeta = .with { ($0.name, $0.id) = ("status", "c1") }
          $0.containerAnnotations = ["from": "status"]
        })
  }

  @Test func anUnreadableSpecificationDoesNotCostTheConfig() {
    let info = #"{"config": {"metadata": {"name": "nginx"}, "annotations": {"a": "b"}}, "runtimeSpec": {"linux": 7}}"#
    let request = record(Self.containerStatus(info: info))
    #expect(request.containerMeta.name == "nginx" && request.containerAnnotations == ["a": "b"])
  }

  @Test func aContainerOfAnotherCgroupKeepsItsOwnParent() {
    let request = record(Self.containerStatus(info: Self.containerInfo(path: "/batch/c1")))
    #expect(request.podCgroupParent == "/batch")
  }

  @Test func aContainerThatIsReadAnewKeepsAnnotationsThatTheRuntimeDoesNotHave() {
    let stale = ContainerRecord(
      podSandboxID: "p1", .with { $0.containerAnnotations = ["late": "1"] }, isStale: true)
    let response = Self.containerStatus(info: Self.containerInfo(path: "/kubepods/pod0a1b/c1"))
    let request = VerboseContainerStatus(response)
      .record(id: "c1", podSandboxID: "p1", pod: Self.pod, remembered: stale).request
    #expect(request.containerAnnotations == ["size": "small", "late": "1"])
  }

  // MARK: Samples

  private func record(_ response: CRIContainerStatusResponse) -> ContainerResourceHookRequest {
    VerboseContainerStatus(response).record(id: "c1", podSandboxID: "p1", pod: Self.pod, remembered: nil).request
  }

  static let pod = PodRecord(.with { $0.cgroupParent = "/kubepods/pod0a1b" }, changes: nil)

  static let podInfo = #"""
    {"pid": 4711, "processStatus": "running", "image": "local/pause:1", "runtimeHandler": "kata",
    "runtimeType": "io.containerd.runc.v2", "config": {"metadata": {"name": "web-0", "uid": "0a1b", "namespace": "shop",
    "attempt": 2}, "hostname": "web-0", "log_directory": "/var/log/pods/web-0", "labels": {"app": "web"},
    "annotations": {"team": "blue"}, "linux": {"cgroup_parent": "/kubepods/pod0a1b", "security_context":
    {"namespace_options": {"network": 2}}, "overhead": {"cpu_shares": 7},
    "resources": {"cpu_shares": 1024, "memory_limit_in_bytes": 1073741824}}}, "runtimeSpec": {"ociVersion": "1.0.2-dev"}}
    """#

  static func podStatus(info: String?) -> CRIPodSandboxStatusResponse {
    .with {
      $0.status.id = "p1"
      $0.status.metadata = .with { ($0.name, $0.uid, $0.namespace) = ("web-0", "0a1b", "shop") }
      $0.status.labels = ["app": "status"]
      $0.status.runtimeHandler = "plain"
      if let info { $0.info = ["info": info] }
    }
  }

  static func containerInfo(path: String) -> String {
    #"""
    {"sandboxID": "p1", "pid": 4712, "removing": false, "snapshotKey": "c1", "config": {"metadata": {"name": "nginx",
    "attempt": 1}, "image": {"image": "local/pause:1"}, "envs": [{"key": "A", "value": "1"}, {"key": "A", "value": "2"},
    {"key": "B", "value": "\ufffd\ufffdx"}, {"key": "EMPTY"}], "annotations": {"size": "small"}, "linux": {"resources":
    {"cpu_period": 100000, "cpu_quota": 50000, "cpu_shares": 512, "memory_limit_in_bytes": 67108864,
    "oom_score_adj": 500, "hugepage_limits": [{"page_size": "2MB"}]}}}, "runtimeSpec": {"process": {"env": ["PATH=/bin",
    "HOSTNAME=vm", "A=1", "A=2", "B=\ufffd\ufffdx", "EMPTY="], "oomScoreAdj": 500}, "linux": {"cgroupsPath": "\#(path)",
    "resources": {"devices": [{"allow": false, "access": "rwm"}], "memory": {"limit": 134217728, "swap": 134217728},
    "cpu": {"shares": 300, "quota": 50000, "period": 100000}}}}}
    """#
  }

  static func containerStatus(info: String?) -> CRIContainerStatusResponse {
    .with {
      $0.status.id = "c1"
      $0.status.metadata.name = "status"
      $0.status.annotations = ["from": "status"]
      if let info { $0.info = ["info": info] }
    }
  }
}
