import HookMessages
import Logging
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// What koord-runtime-proxy gets wrong, as far as it concerns the dispatcher; the numbers are those of the
/// facts of the hook protocol.
@Suite struct ReferenceMistakesTests {
  private let request = ContainerResourceHookRequest.example

  /// Number 2: one of several plugins was called, at random.
  @Test func everyPluginOfAHookPointIsAskedAlwaysInTheSameOrder() async throws {
    for _ in 0..<10 {
      let rig = Rig()
      let plugins = ["d", "b", "a", "c"].shuffled().map { Plugin.named($0) }
      _ = try await rig.pre(.preCreateContainer, request, plugins)
      #expect(rig.transport.askedPlugins == ["a", "b", "c", "d"])
    }
  }

  /// Number 3: a hung plugin ate kubelet's whole deadline, and then even Ignore failed the call.
  @Test func aHungPluginUnderIgnoreCostsItsTimeoutAndNothingElse() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    async let result = rig.pre(.preStartContainer, request, [.named("a", timeout: .seconds(2))])
    await rig.clock.sleepers(1)
    rig.clock.advance(by: .seconds(2))
    #expect(try await result.changes.isEmpty)
  }

  /// Number 4: a sparse answer reset `oom_score_adj` and cleared both cpusets.
  @Test func aSparseAnswerChangesWhatItSaysAndNothingElse() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    let changed = try await rig.pre(.preCreateContainer, request, [.named("a")]).request
    var expected = request
    expected.containerResources.cpuShares = 7
    #expect(changed == expected)
  }

  /// Number 4: a non-empty env map replaced all envs. Order and duplicates are the CRI message's matter.
  @Test func oneEnvInAnAnswerTouchesNoOtherEnv() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: ContainerResourceHookResponse.with { $0.containerEnvs = ["NEW": "1"] })
    let (changed, changes) = try await rig.pre(.preCreateContainer, request, [.named("a")])
    #expect(changes.map(\.change) == [Change(.env(key: "NEW"), .text("1"))])
    #expect(changed.containerEnvs == ["HOME": "/root", "TOKEN": "s3cret", "NEW": "1"])
  }

  /// Number 6: hooks ran, or did not run again, regardless of what became of the stop. Here a stop that failed
  /// is not told, so nothing is remembered, and the retry's hook runs.
  @Test func aStopIsToldOnceHoweverOftenKubeletStops() async throws {
    let rig = Rig()
    try await rig.running {
      // kubelet kills the sandbox, garbage collection stops it once more.
      await rig.postStop(request, [.named("a", .fail)])
      await rig.postStop(request, [.named("a", .fail)])
    }
    #expect(rig.transport.askedPlugins == ["a"])
  }

  /// Number 14: values of envs were logged.
  @Test func noValueOfAnEnvIsEverLogged() async throws {
    let rig = Rig()
    rig.transport.plugin("b", fails: .connectionBroken("reset"))
    try await rig.running {
      _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
      _ = try await rig.postStart(request, [.named("a"), .named("b")])
      await rig.postStop(request, [.named("a"), .named("b")])
    }
    #expect(!rig.log.lines(from: .trace).contains { $0.contains("s3cret") })
  }
}
