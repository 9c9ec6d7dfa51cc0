import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import Synchronization
import Testing

@Suite struct PostStopTests {
  private let request = ContainerResourceHookRequest.example

  @Test func aSuccessIsNotRepeatedUntilTheObjectIsForgotten() async throws {
    let rig = Rig()
    try await rig.running {
      for _ in 0..<3 { await rig.postStop(request, [.named("a"), .named("b")], object: "c1") }
      #expect(rig.transport.askedPlugins.sorted() == ["a", "b"])
      await rig.postStop(request, [.named("a")], object: "c2")
      #expect(rig.transport.asked.count == 3)
      rig.dispatcher.forget(objectID: "c1")
      await rig.postStop(request, [.named("a")], object: "c1")
      #expect(rig.transport.asked.count == 4)
    }
  }

  @Test func answersAreNotRead() async throws {
    let rig = Rig()
    rig.transport.plugin("a", answers: [0xFF])
    try await rig.running { await rig.postStop(request, [.named("a", .fail)]) }
    #expect(rig.log.lines().isEmpty)
    #expect(rig.dispatcher.counters == DispatcherCounters())
  }

  @Test func underIgnoreAFailureIsForgottenAndTheNextStopAsksAgain() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .connectionBroken("reset"))
    try await rig.running {
      await rig.postStop(request, [.named("a")])
      await rig.postStop(request, [.named("a")])
    }
    #expect(rig.transport.asked.count == 2)
    #expect(rig.dispatcher.counters.owed == 0)
    #expect(
      rig.log.lines().first
        == "hook server a: PostStopContainer: connection broken: reset object=c1 pod=shop/web verdict=ignored")
  }

  @Test func returnsAtItsDeadlineWhileTheHooksGoOn() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await rig.running {
      async let stopped: Void = stop(rig, [.named("a")], answerBy: rig.clock.now + .seconds(1))
      await rig.clock.sleepers(2)
      rig.clock.advance(by: .seconds(1))
      await stopped
      // In progress: not asked again, and nothing to wait for.
      await rig.postStop(request, [.named("a")])
      #expect(rig.transport.asked.count == 1)
      #expect(rig.log.lines().isEmpty)
    }
  }

  @Test func kubeletsLeavingDoesNotEndTheHooks() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await rig.running {
      let task = Task { await rig.postStop(request, [.named("a", .fail)]) }
      await rig.clock.sleepers(1)
      task.cancel()
      await task.value
      #expect(rig.dispatcher.counters.owed == 0)
      rig.transport.plugin("a", answers: [])
      rig.clock.advance(by: .seconds(5))
      // The first attempt went on to its own deadline, and is owed now.
      await rig.clock.sleepers(1)
      #expect(rig.dispatcher.counters.owed == 1)
    }
  }

  @Test func aPodThatIsGoneOrSkippedIsNoPluginsBusiness() async throws {
    let rig = Rig()
    var skipped = request
    skipped.podLabels = ["runtimeproxy.koordinator.sh/skip-hookserver": "true"]
    try await rig.running {
      await stop(rig, [.named("a", .fail)], subject: .gone)
      await stop(rig, [.named("a", .fail)], subject: .known(skipped))
    }
    #expect(rig.transport.asked.isEmpty)
    #expect(rig.log.lines().isEmpty)
  }

  @Test func exemptPodsAreOwedNothing() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    var system = request
    system.podMeta.namespace = "kube-system"
    try await rig.running { await rig.postStop(system, [.named("a", .fail)]) }
    #expect(rig.dispatcher.counters.owed == 0)
    #expect(rig.dispatcher.counters.failuresIgnored == 1)
  }

  @Test func anUnknownSubjectIsTheFailureOfEveryPlugin() async throws {
    let rig = Rig()
    try await rig.running {
      await stop(rig, [.named("a"), .named("b", .fail)], subject: .unknown("timeout"))
      #expect(rig.dispatcher.counters.owed == 1)
    }
    #expect(rig.transport.asked.isEmpty)
    #expect(
      rig.log.lines().filter { $0.contains("subject unknown: timeout") }.count == 2)
  }

  @Test func theSubjectIsLookedUpOnceForAllPlugins() async throws {
    let rig = Rig()
    let lookUps = Mutex(0)
    try await rig.running {
      await rig.dispatcher.postStop(
        .postStopContainer, objectID: "c1", in: Registry(plugins: [.named("a"), .named("b")]), answerBy: nil
      ) { [request] in
        lookUps.withLock { $0 += 1 }
        return Subject.known(request)
      }
    }
    #expect(lookUps.withLock { $0 } == 1)
    #expect(rig.transport.asked.count == 2)
  }

  private func stop(
    _ rig: Rig, _ plugins: [Plugin], answerBy: ContinuousClock.Instant? = nil,
    subject: Subject<ContainerResourceHookRequest>? = nil
  ) async {
    await rig.dispatcher.postStop(
      .postStopContainer, objectID: "c1", in: Registry(plugins: plugins), answerBy: answerBy
    ) { [request] in subject ?? .known(request) }
  }
}
