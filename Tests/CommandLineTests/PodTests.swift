import CRIMessages
import Testing
import YAML

@testable import runtime_manager

/// What kubelet would ask for, from what a manifest says.
@Suite struct PodTests {
  private static let gibibyte: Int64 = 1 << 30

  private func pods(_ manifest: String) throws -> [Pod] {
    try PodReader.pods(in: try YAMLDocuments.read(Array(manifest.utf8)))
  }

  /// A pod with these resources, one container each.
  private func pod(_ resources: String...) throws -> Pod {
    let containers = resources.enumerated().map { "  - {name: c\($0), resources: \($1)}\n" }.joined()
    return try #require(
      try pods("kind: Pod\nmetadata: {name: p, uid: a-b}\nspec:\n  containers:\n\(containers)").first)
  }

  @Test(
    arguments: [
      ("2", 2000), ("500m", 500), ("0.5", 500), ("1.5Gi", 1_610_612_736_000), ("1e3", 1_000_000), ("1k", 1_000_000),
      ("100u", 1), ("0", 0), (".5", 500), ("12E", nil), ("", nil), ("1x", nil), ("-1", nil), ("m", nil), ("1 ", nil),
      ("1.2.3", nil), ("١", nil),
    ] as [(String, Int64?)])
  func quantitiesAreThoseOfKubernetes(text: String, milli: Int64?) {
    #expect(Quantity(text)?.milli == milli)
  }

  @Test(arguments: [
    ("{}", "BestEffort"), ("{requests: {cpu: 1}}", "Burstable"), ("{limits: {cpu: 1, memory: 1Gi}}", "Guaranteed"),
    ("{limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 500m}}", "Burstable"), ("{limits: {cpu: 1}}", "Burstable"),
    ("{requests: {example.com/gpu: 1}}", "BestEffort"),
    ("{limits: {cpu: 1000m, memory: 1Gi}, requests: {cpu: 1}}", "Guaranteed"),
  ])
  func theClassIsThatOfKubernetes(resources: String, qos: String) throws {
    #expect(try pod(resources).qosClass.rawValue == qos)
  }

  @Test func onePoorContainerMakesThePodBurstable() throws {
    #expect(try pod("{limits: {cpu: 1, memory: 1Gi}}", "{}").qosClass == .burstable)
  }

  @Test(
    arguments: [
      ("{}", 2, 0, 0, 1000), ("{requests: {cpu: 100m}}", 102, 0, 0, 999),
      ("{limits: {cpu: 2, memory: 1Gi}}", 2048, 200_000, 1 << 30, -997),
      ("{requests: {cpu: 1m, memory: 4Gi}, limits: {cpu: 5m}}", 2, 1000, 0, 500),
      ("{requests: {memory: 100Gi}}", 2, 0, 0, 3), ("{requests: {cpu: 500}}", 262_144, 0, 0, 999),
      ("{limits: {cpu: 250m}}", 256, 25_000, 0, 999),
    ] as [(String, Int64, Int64, Int64, Int64)])
  func aContainersResourcesAreThoseOfKubelet(
    resources: String, shares: Int64, quota: Int64, memory: Int64, oomScoreAdj: Int64
  ) throws {
    let pod = try pod(resources)
    let made = pod.resources(of: pod.containers[0], nodeMemoryBytes: 8 * Self.gibibyte)
    #expect(made.cpuShares == shares)
    #expect(made.cpuQuota == quota)
    #expect(made.cpuPeriod == 100_000)
    #expect(made.memoryLimitInBytes == memory)
    #expect(made.oomScoreAdj == oomScoreAdj)
  }

  @Test func hugePagesHaveTheRuntimesNames() throws {
    let pod = try pod("{limits: {hugepages-2Mi: 64Mi, hugepages-1Gi: 2Gi}}")
    let limits = pod.resources(of: pod.containers[0], nodeMemoryBytes: Self.gibibyte).hugepageLimits
    #expect(limits.map(\.pageSize) == ["1GB", "2MB"])
    #expect(limits.map(\.limit) == [2 << 30, 64 << 20])
  }

  @Test(arguments: [
    (CgroupDriver.systemd, "{}", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-poda_b.slice"),
    (.systemd, "{requests: {cpu: 1}}", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice"),
    (.systemd, "{limits: {cpu: 1, memory: 1}}", "/kubepods.slice/kubepods-poda_b.slice"),
    (.cgroupfs, "{}", "/kubepods/besteffort/poda-b"), (.cgroupfs, "{limits: {cpu: 1, memory: 1}}", "/kubepods/poda-b"),
  ])
  func theCgroupParentFollowsTheClass(driver: CgroupDriver, resources: String, parent: String) throws {
    let requests = KubeletRequests(pod: try pod(resources), cgroupDriver: driver, nodeMemoryBytes: Self.gibibyte)
    #expect(requests.runPodSandbox.config.linux.cgroupParent == parent)
  }

  @Test func aPodNeedsWhatItsContainersNeedTogetherOrOneOfItsInitContainers() throws {
    let pod = try #require(
      try pods(
        """
        kind: Pod
        metadata: {name: p}
        spec:
          initContainers:
          - {name: sidecar, restartPolicy: Always, resources: {requests: {cpu: 1}}}
          - {name: big, resources: {requests: {cpu: 5}}}
          containers:
          - {name: a, resources: {requests: {cpu: 2}}}
          - {name: b, resources: {requests: {cpu: 1}}}
        """
      ).first)
    #expect(pod.total("cpu", \.requests) == Quantity(milli: 6000))
    #expect(pod.total("memory", \.requests) == nil)
    #expect(pod.totalResources.cpuShares == 6144)
  }

  @Test func whatKubeletAddsIsAdded() throws {
    let pod = try pod("{}")
    let requests = KubeletRequests(pod: pod, cgroupDriver: .systemd, nodeMemoryBytes: 1)
    #expect(requests.runPodSandbox.config.labels["io.kubernetes.pod.name"] == "p")
    #expect(requests.runPodSandbox.config.annotations["kubernetes.io/config.source"] == "api")
    let container = requests.createContainer(pod.containers[0])
    #expect(container.config.annotations["io.kubernetes.pod.terminationGracePeriod"] == "30")
    #expect(container.sandboxConfig == requests.runPodSandbox.config)
  }

  @Test func podsAreFoundInEveryDocumentAndInLists() throws {
    let one = "{kind: Pod, metadata: {name: NAME}, spec: {containers: [{name: c}]}}"
    let text = """
      kind: ConfigMap
      ---
      \(one.replacing("NAME", with: "a"))
      ---
      kind: List
      items: [\(one.replacing("NAME", with: "b")), {kind: Secret}]
      """
    #expect(try pods(text).map(\.name) == ["a", "b"])
  }

  @Test func envsFromElsewhereAreCounted() throws {
    let pod = try #require(
      try pods(
        """
        {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c",
         "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {}}}, {"name": "C"}],
         "envFrom": [{"secretRef": {"name": "s"}}]}]}}
        """
      ).first)
    #expect(pod.containers[0].envs == [Pod.Env(name: "A", value: "1"), Pod.Env(name: "C", value: "")])
    #expect(pod.containers[0].unknownEnvs == 2)
  }

  @Test(arguments: [
    ("kind: Pod\nspec: {}", 1, "metadata.name: is missing"), ("kind: Pod\nmetadata: {name: p}", 1, "spec: is missing"),
    ("kind: Pod\nmetadata: {name: p}\nspec:\n  containers: []", 4, "spec.containers: is missing"),
    ("kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - image: x", 5, "spec.containers.name: is missing"),
    ("kind: Pod\nmetadata: [a]", 2, "metadata: an object is meant"), ("- a", 1, "the manifest: an object is meant"),
    (
      "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n    resources:\n      limits: {cpu: much}", 7,
      "spec.containers.resources.limits: a quantity such as 500m or 1Gi is meant"
    ),
    (
      "kind: Pod\nmetadata:\n  name: p\n  labels: {a: [b]}\nspec: {containers: [{name: c}]}", 4,
      "metadata.labels: texts are meant"
    ),
  ])
  func whatIsNoPodIsToldWithItsLine(manifest: String, line: Int, problem: String) throws {
    #expect(throws: PodReader.Wrong(line: line, problem: problem)) { try pods(manifest) }
  }
}
