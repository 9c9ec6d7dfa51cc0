import GRPC
import HookMessages
import Logging
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

@Suite struct PreTests {
  private let request = ContainerResourceHookRequest.example

  @Test func asksInByteOrderOfTheNamesAndEachSeesTheEarlierChanges() async throws {
    let rig = Rig()
    try rig.transport.plugin("B", answers: cpuShares(7))
    try rig.transport.plugin("a", answers: ContainerResourceHookResponse.with { $0.containerEnvs = ["NEW": "1"] })
    let (changed, changes) = try await rig.pre(.preCreateContainer, request, [.named("ä"), .named("a"), .named("B")])
    #expect(rig.transport.askedPlugins == ["B", "a", "ä"])
    #expect(try rig.transport.asked.map { try $0.container.containerResources.cpuShares } == [100, 7, 7])
    #expect(try rig.transport.asked[2].container == changed)
    #expect(changes.map(\.plugin.name) == ["B", "a"])
    #expect(changes.map(\.change.field) == [.resource(.cpuShares), .env(key: "NEW")])
  }

  @Test func asksTheMethodOfTheHookPointWithThePluginsTimeout() async throws {
    let rig = Rig()
    _ = try await rig.pre(.preUpdateContainerResources, request, [.named("a", timeout: .seconds(3))])
    #expect(
      rig.transport.asked.map(\.methodPath)
        == ["/runtime.v1alpha1.RuntimeHookService/PreUpdateContainerResourcesHook"])
    #expect(rig.transport.asked.map(\.timeout) == [.seconds(3)])
  }

  @Test func theFirstFailureUnderFailEndsTheCall() async throws {
    let rig = Rig()
    rig.transport.plugin("b", fails: .socketUnavailable("absent"))
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preStartContainer, request, [.named("a"), .named("b", .fail), .named("c")])
    }
    #expect(rig.transport.askedPlugins == ["a", "b"])
    #expect(
      refusal?.status == Status(.unavailable, "hook server err: b: PreStartContainer: socket unavailable: absent"))
    #expect(rig.dispatcher.counters.failuresRefused == 1)
  }

  @Test func aFailureIsLoggedOnceWithItsVerdictAndPod() async throws {
    let rig = Rig()
    rig.transport.plugin("koordlet", hangsOn: rig.clock)
    async let result = rig.pre(.preStartContainer, request, [.named("koordlet", timeout: .seconds(2))])
    await rig.clock.sleepers(1)
    rig.clock.advance(by: .seconds(2))
    _ = try await result
    #expect(
      rig.log.lines() == [
        "hook server koordlet: PreStartContainer: deadline of 2 s passed pod=shop/web verdict=ignored"
      ])
  }

  @Test func allPreHooksShareTheBudget() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    rig.transport.plugin("b", hangsOn: rig.clock)
    let plugins = [Plugin.named("a"), .named("b"), .named("c", .fail)]
    let task = Task { [request] in try await rig.pre(.preStartContainer, request, plugins, within: .seconds(8)) }
    await rig.clock.sleepers(1)
    rig.clock.advance(by: .seconds(5))
    await rig.transport.calls(2)
    await rig.clock.sleepers(1)
    rig.clock.advance(by: .seconds(3))
    let refusal = await #expect(throws: Refusal.self) { _ = try await task.value }
    #expect(rig.transport.asked.map(\.timeout) == [.seconds(5), .seconds(3)])
    #expect(
      refusal?.status
        == Status(
          .deadlineExceeded, "hook server err: c: PreStartContainer: kubelet's deadline left no time to ask"))
  }

  @Test func kubeletsLeavingEndsItUnderIgnoreToo() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    let task = Task { () async -> StatusCode? in
      do throws(Refusal) { _ = try await rig.pre(.preStartContainer, request, [.named("a"), .named("b")]) } catch {
        return error.status.code
      }
      return nil
    }
    await rig.clock.sleepers(1)
    task.cancel()
    #expect(await task.value == .cancelled)
    #expect(rig.transport.askedPlugins == ["a"])
  }

  @Test func nobodyIsAskedForACallThatKubeletHasLeft() async throws {
    let rig = Rig()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try await rig.pre(.preStartContainer, request, [.named("a")])
    }
    await #expect(throws: Refusal.self) { try await task.value }
    #expect(rig.transport.asked.isEmpty)
  }

  @Test func aSkippedPodIsNeverHooked() async throws {
    let rig = Rig()
    let label = ["runtimeproxy.koordinator.sh/skip-hookserver": "true"]
    var request = request
    request.podLabels = label
    _ = try await rig.pre(.preStartContainer, request, [.named("a", .fail)])
    #expect(rig.transport.asked.isEmpty)
    let registry = Registry(plugins: [.named("a")])
    #expect(rig.dispatcher.plugins(at: .preStartContainer, in: registry, podLabels: label).isEmpty)
    #expect(rig.dispatcher.plugins(at: .preStartContainer, in: registry, podLabels: [:]).count == 1)
  }

  @Test(arguments: ["file", "http"])
  func failActsAsIgnoreForStaticPods(source: String) async throws {
    var request = request
    request.podAnnotations = ["kubernetes.io/config.source": source]
    let rig = Rig()
    rig.transport.plugin("a", fails: .connectionBroken("reset"))
    _ = try await rig.pre(.preStartContainer, request, [.named("a", .fail)])
    #expect(rig.dispatcher.counters.failuresIgnored == 1)
  }

  @Test func failActsAsIgnoreInTheNeverFailNamespacesOnly() async throws {
    let rig = Rig(rules: HookRules(neverFailNamespaces: ["infra"]))
    rig.transport.plugin("a", fails: .connectionBroken("reset"))
    var request = request
    request.podMeta.namespace = "infra"
    _ = try await rig.pre(.preStartContainer, request, [.named("a", .fail)])
    request.podMeta.namespace = "kube-system"
    request.podAnnotations = ["kubernetes.io/config.source": "api"]
    await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preStartContainer, request, [.named("a", .fail)])
    }
  }

  @Test func logsNamesOfFieldsNeverTheirValues() async throws {
    let rig = Rig()
    let answer = ContainerResourceHookResponse.with {
      $0.containerEnvs = ["TOKEN": "hunter2", "A=": "hunter2"]
      $0.containerAnnotations = ["team": "hunter2", "io.kubernetes.container.hash": "hunter2"]
    }
    try rig.transport.plugin("a", answers: answer)
    let other = ContainerResourceHookResponse.with { $0.containerEnvs = ["TOKEN": "hunter3"] }
    try rig.transport.plugin("b", answers: other)
    _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    let lines = rig.log.lines(from: .trace)
    #expect(lines.contains("hook server a: PreCreateContainer: changed annotation team, env TOKEN pod=shop/web"))
    #expect(!lines.contains { $0.contains("hunter") || $0.contains("s3cret") })
  }
}

func cpuShares(_ shares: Int64) -> ContainerResourceHookResponse {
  .with { $0.containerResources.cpuShares = shares }
}
