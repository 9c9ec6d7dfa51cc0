import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// The table of the design's "What a hooked call does", and the rules below it. Under Fail a forbidden change
/// is the plugin's failure, under Ignore only the change is dropped.
@Suite struct ForbiddenChangeTests {
  /// Per hook point, the kinds of changes that take effect when a plugin wants all of them.
  private static let permitted: [(HookPoint, Set<String>)] = [
    (.preCreateContainer, ["annotation", "env", "cgroup_parent", "cpu_shares", "oom_score_adj", "2MB", "unified"]),
    (.preStartContainer, ["annotation", "cpu_shares", "2MB", "unified"]),
    (.postStartContainer, ["annotation", "cpu_shares", "2MB", "unified"]),
    (.preUpdateContainerResources, ["annotation", "cpu_shares", "2MB", "unified"]),
  ]

  private static let everything = ContainerResourceHookResponse.with {
    $0.containerAnnotations = ["team": "blue"]
    $0.containerEnvs = ["HOME": "/home"]
    $0.podCgroupParent = "kubepods-burstable-pod2.slice"
    $0.containerResources = .with {
      $0.cpuShares = 7
      $0.oomScoreAdj = 1
      $0.hugepageLimits = [
        .with {
          $0.pageSize = "2MB"; $0.limit = 7
        }
      ]
      $0.unified = ["memory.high": "7"]
    }
  }

  @Test(arguments: permitted)
  func aPointTakesItsOwnKindsOfChangesOnly(point: HookPoint, kinds: Set<String>) async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: Self.everything)
    try await rig.running {
      let changes =
        point == .postStartContainer
        ? try await rig.postStart(.example, [.named("a")]).changes
        : try await rig.pre(point, ContainerResourceHookRequest.example, [.named("a")]).changes
      #expect(Set(changes.map { kind(of: $0.change.field) }) == kinds)
      #expect(rig.dispatcher.counters.changesDropped == 7 - kinds.count)
    }
  }

  @Test func aPodTakesLabelsAnnotationsCgroupParentAndResources() async throws {
    let changed = try await pod {
      $0.labels = ["app": "api"]
      $0.annotations = ["team": "blue"]
      $0.cgroupParent = "/kubepods/pod2"
      $0.resources = .with {
        $0.cpuShares = 9; $0.oomScoreAdj = 5
      }
    }
    #expect(changed == ["label app", "annotation team", "cgroup_parent", "cpu_shares", "oom_score_adj"])
  }

  @Test func kubeletsKeysMayNotBeChangedNorForged() async throws {
    let changed = try await pod {
      $0.labels = ["io.kubernetes.pod.name": "x", "io.kubernetes.container.name": "x", "io.kubernetes.mine": "1"]
      $0.annotations = ["io.kubernetes.cri.note": "2", "io.kubernetes.pod.new": "x", "io.kubernetesish": "1"]
    }
    #expect(changed == ["label io.kubernetes.mine", "annotation io.kubernetesish"])
  }

  @Test func keysThatDecideAboutHooksMayNotBeSet() async throws {
    let changed = try await pod {
      $0.labels = ["runtimeproxy.koordinator.sh/skip-hookserver": "true", "kubernetes.io/config.source": "file"]
      $0.annotations = [
        "kubernetes.io/config.source": "file", "runtimeproxy.koordinator.sh/skip-hookserver": "true",
      ]
    }
    #expect(changed.isEmpty)
  }

  @Test(arguments: [("/kubepods/pod1", "kubepods-pod1.slice"), ("kubepods-pod1.slice", "/kubepods/pod1")])
  func aCgroupParentKeepsItsForm(sent: String, wanted: String) async throws {
    let changed = try await pod(sentParent: sent) { $0.cgroupParent = wanted }
    #expect(changed.isEmpty)
  }

  @Test func aPodWithoutACgroupParentMayGetAny() async throws {
    #expect(try await pod(sentParent: "") { $0.cgroupParent = "x.slice" } == ["cgroup_parent"])
  }

  @Test func leavingKubeletsCgroupRootIsAllowedLoggedAndCounted() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: PodSandboxHookResponse.with { $0.cgroupParent = "/offline/pod1" })
    let changes = try await rig.pre(.preRunPodSandbox, EncodedPod(.example), [.named("a")]).changes
    #expect(changes.map(\.change) == [Change(.cgroupParent, .text("/offline/pod1"))])
    #expect(rig.dispatcher.counters.kubeletRootLeft == 1)
    #expect(rig.log.lines().count == 1)
  }

  @Test func invalidEnvsMayNotBeSet() async throws {
    let changed = try await container(hiddenEnvKeys: ["HIDDEN"]) {
      $0.containerEnvs = ["": "x", "A=B": "x", "N\0L": "x", "VALUE": "x\0", "HIDDEN": "x", "GOOD": ""]
    }
    #expect(changed == ["env GOOD"])
  }

  @Test func echoedEnvAndCgroupParentAreNoChangeAfterCreation() async throws {
    let rig = Rig()
    var answer = ContainerResourceHookRequest.example.echo
    answer.containerResources.cpuShares = 7
    try rig.transport.plugin("a", answers: answer)
    let plugins = [Plugin.named("a", .fail)]
    let changes = try await rig.pre(.preStartContainer, ContainerResourceHookRequest.example, plugins).changes
    #expect(changes.map(\.change) == [Change(.resource(.cpuShares), .number(7))])
    #expect(rig.log.lines().isEmpty)
  }

  @Test func aCpusetClearedAfterCreationIsLoggedAndCounted() async throws {
    let rig = Rig()
    var answer = ContainerResourceHookRequest.example.echo
    answer.containerResources.cpusetCpus = ""
    try rig.transport.plugin("a", answers: answer)
    let request = ContainerResourceHookRequest.example
    _ = try await rig.pre(.preCreateContainer, request, [.named("a")])
    #expect(rig.dispatcher.counters.cpusetsClearedLate == 0)
    let changes = try await rig.pre(.preUpdateContainerResources, request, [.named("a")]).changes
    #expect(changes.map(\.change) == [Change(.resource(.cpusetCPUs), .cleared)])
    #expect(rig.dispatcher.counters.cpusetsClearedLate == 1)
    #expect(rig.log.lines().count == 1)
  }

  @Test func underFailOneForbiddenChangeCostsTheWholeAnswerAndTheCall() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: Self.everything)
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preStartContainer, ContainerResourceHookRequest.example, [.named("a", .fail)])
    }
    #expect(refusal?.status.code == .failedPrecondition)
    #expect(
      refusal?.status.message
        == "hook server err: a: PreStartContainer: forbidden change of cgroup_parent: may not be changed at this hook point"
    )
  }

  private func pod(
    sentParent: String = "/kubepods/burstable/pod1", _ fill: (inout PodSandboxHookResponse) -> Void
  ) async throws -> [String] {
    let rig = Rig()
    var sent = PodSandboxHookRequest.example
    sent.cgroupParent = sentParent
    try rig.transport.plugin("a", answers: PodSandboxHookResponse.with(fill))
    return try await rig.pre(.preRunPodSandbox, EncodedPod(sent), [.named("a")]).changes.map(\.change.field.description)
  }

  private func container(
    hiddenEnvKeys: Set<String>, _ fill: (inout ContainerResourceHookResponse) -> Void
  ) async throws -> [String] {
    let rig = Rig()
    try rig.transport.plugin("a", answers: ContainerResourceHookResponse.with(fill))
    let result = try await rig.pre(
      .preCreateContainer, ContainerResourceHookRequest.example, [.named("a")], hiddenEnvKeys: hiddenEnvKeys)
    return result.changes.map(\.change.field.description)
  }

  private func kind(of field: Field) -> String {
    switch field {
    case .label: "label"
    case .annotation: "annotation"
    case .cgroupParent: "cgroup_parent"
    case .resource(let field): field.rawValue
    case .hugepageLimit(let pageSize): pageSize
    case .unified: "unified"
    case .env: "env"
    }
  }
}
