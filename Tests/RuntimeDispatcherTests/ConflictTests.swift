import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// Design, "Ownership".
@Suite struct ConflictTests {
  private let request = ContainerResourceHookRequest.example

  @Test func aLaterPluginCannotChangeWhatAnEarlierOneChanged() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    var other = cpuShares(8)
    other.containerResources.cpuQuota = 9
    try rig.transport.plugin("b", answers: other)
    let (changed, changes) = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    #expect(changed.containerResources.cpuShares == 7)
    #expect(changes.map(\.change.field) == [.resource(.cpuShares), .resource(.cpuQuota)])
    #expect(
      rig.log.lines() == [
        "hook server b: PreCreateContainer: conflict: cpu_shares belongs to a pod=shop/web verdict=change dropped"
      ])
    #expect(rig.dispatcher.counters.changesDropped == 1)
  }

  @Test func underFailTheRefusalNamesBothOwners() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    try rig.transport.plugin("b", answers: cpuShares(8))
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b", .fail)])
    }
    #expect(
      refusal?.status
        == Status(
          .failedPrecondition, "hook server err: b: PreCreateContainer: conflict: cpu_shares belongs to a"))
  }

  @Test func anEchoOfAnotherPluginsChangeIsNoConflict() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    try rig.transport.plugin("b", answers: cpuShares(7))
    let changes = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b", .fail)]).changes
    #expect(changes.map(\.plugin.name) == ["a"])
  }

  @Test func eachMapKeyEnvAndPageSizeBelongsToSomeoneByItself() async throws {
    let rig = Rig()
    for (name, key) in [("a", "1"), ("b", "2")] {
      let answer = ContainerResourceHookResponse.with {
        $0.containerAnnotations = [key: name]
        $0.containerEnvs = [key: name]
        $0.containerResources.unified = [key: name]
        $0.containerResources.hugepageLimits = [.with { $0.pageSize = key }]
      }
      try rig.transport.plugin(name, answers: answer)
    }
    let plugins = [Plugin.named("a", .fail), .named("b", .fail)]
    #expect(try await rig.pre(.preCreateContainer, request, plugins).changes.count == 8)
  }

  @Test func aClearedCpusetBelongsToWhoClearedIt() async throws {
    let rig = Rig()
    var clearing = request.echo
    clearing.containerResources.cpusetCpus = ""
    try rig.transport.plugin("a", answers: clearing)
    let setting = ContainerResourceHookResponse.with { $0.containerResources.cpusetCpus = "1" }
    try rig.transport.plugin("b", answers: setting)
    let changed = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")]).request
    #expect(changed.containerResources.cpusetCpus.isEmpty)
    #expect(rig.dispatcher.counters.changesDropped == 1)
  }

  @Test func ownersHoldFromPreToPost() async throws {
    let rig = Rig()
    var request = request
    var call = rig.dispatcher.call(about: request, in: Registry(plugins: [.named("a"), .named("b", .fail)]))
    try rig.transport.plugin("a", answers: cpuShares(7))
    _ = try await rig.dispatcher.pre(.preStartContainer, &request, call: &call, deadline: nil)
    #expect(call.owners == [.resource(.cpuShares): "a"])
    try rig.transport.plugin("a", answers: cpuShares(8))
    try rig.transport.plugin("b", answers: cpuShares(9))
    try await rig.running {
      let refusal = await #expect(throws: Refusal.self) {
        _ = try await rig.dispatcher.postStart(&request, call: &call, deadline: nil)
      }
      #expect(
        refusal?.status.message
          == "hook server err: b: PostStartContainer: conflict: cpu_shares belongs to a")
    }
    #expect(request.containerResources.cpuShares == 8)
  }

  @Test func aKeyOfKubeletsIsForbiddenWhileOneOfAnotherPluginIsAConflict() async throws {
    let rig = Rig()
    for name in ["a", "b"] {
      let answer = ContainerResourceHookResponse.with { $0.containerAnnotations = ["io.kubernetes.x": name] }
      try rig.transport.plugin(name, answers: answer)
    }
    _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    #expect(rig.log.lines().first?.contains("conflict: annotation io.kubernetes.x belongs to a") == true)
    var sent = request
    sent.containerAnnotations["io.kubernetes.x"] = "kubelet"
    #expect(try await rig.pre(.preCreateContainer, sent, [.named("a")]).changes.isEmpty)
  }
}
