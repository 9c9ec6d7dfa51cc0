import Accounts
import GRPC
import HookMessages
import Logging
import PluginsManager
import RuntimeDispatcher
import Synchronization
import Testing

/// Design, "Failure": what a plugin under Fail is owed after a stop.
@Suite struct OwedCallTests {
  private let request = ContainerResourceHookRequest.example
  private let plugins = [Plugin.named("a", .fail)]

  @Test func isRepeatedAfter1sDoublingTo30sFor10Minutes() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      var calls = 1
      var passed = 0
      for delay in [1, 2, 4, 8, 16] + Array(repeating: 30, count: 18) + [29] {
        await rig.clock.sleepers(1)
        rig.clock.advance(by: .seconds(delay) - .milliseconds(1))
        #expect(rig.transport.asked.count == calls)
        rig.clock.advance(by: .milliseconds(1))
        calls += 1
        passed += delay
        await rig.transport.calls(calls)
      }
      #expect(passed == 600)
      await waitUntil { rig.dispatcher.counters.owedDropped == 1 }
      #expect(rig.dispatcher.counters.owed == 0)
    }
    #expect(rig.dispatcher.counters.owedAtExit == 0)
    // One account of the stop, one of all repetitions.
    let failure = Failure(.socketUnavailable, "socket unavailable: absent", effect: .owed)
    let last = Failure(.socketUnavailable, "socket unavailable: absent", effect: .dropped)
    #expect(rig.accounts.map { $0.hookCalls.map(\.verdict) } == [[.failed(failure)], [.failed(last)]])
    #expect(rig.accounts.map(\.attempt) == [nil, 25])
    #expect(rig.log.lines().count == 2)
    #expect(
      rig.log.lines(from: .error) == [
        "hook server a: PostStopContainer: owed for 600 s, last failure: socket unavailable: absent "
          + "object=c1 pod=shop/web verdict=dropped"
      ])
  }

  @Test func endsWithTheFirstSuccessWhichIsRemembered() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      await rig.postStop(request, plugins)
      #expect(rig.transport.asked.count == 1)
      await rig.clock.sleepers(1)
      rig.transport.plugin("a", answers: [])
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
      await rig.postStop(request, plugins)
      #expect(rig.transport.asked.count == 2)
      let repeated = try rig.transport.asked[1].container
      #expect(repeated == request)
    }
  }

  @Test func survivesTheRemovalOfItsObject() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      rig.dispatcher.forget(objectID: "c1")
      #expect(rig.dispatcher.counters.owed == 1)
      await rig.clock.sleepers(1)
      rig.transport.plugin("a", answers: [])
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    #expect(rig.transport.asked.count == 2)
  }

  @Test func anUnknownSubjectIsLookedUpWithEachAttemptUntilItIsKnownOrGone() async throws {
    let rig = Rig()
    let answers = Mutex<[Subject<ContainerResourceHookRequest>]>([
      .known(request), .unknown("timeout"), .unknown("timeout"),
    ])
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.dispatcher.postStop(
        .postStopContainer, objectID: "c1", in: Registry(plugins: plugins), answerBy: nil
      ) { answers.withLock { $0.popLast() ?? .gone } }
      for delay in [1, 2] {
        await rig.clock.sleepers(1)
        rig.clock.advance(by: .seconds(delay))
      }
      await rig.transport.calls(1)
      await rig.clock.sleepers(1)
      rig.transport.plugin("a", answers: [])
      rig.clock.advance(by: .seconds(4))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    // Once known, it keeps its own copy: nobody asked a fourth time.
    #expect(rig.transport.asked.count == 2)
    #expect(answers.withLock { $0.isEmpty })
  }

  @Test func endsWhenTheSubjectTurnsOutToBeGone() async throws {
    let rig = Rig()
    let answers = Mutex<[Subject<ContainerResourceHookRequest>]>([.unknown("timeout")])
    try await rig.running {
      await rig.dispatcher.postStop(
        .postStopContainer, objectID: "c1", in: Registry(plugins: plugins), answerBy: nil
      ) { answers.withLock { $0.popLast() ?? .gone } }
      await rig.clock.sleepers(1)
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    #expect(rig.transport.asked.isEmpty)
    #expect(rig.dispatcher.counters.owedDropped == 0)
  }

  @Test func isRepeatedToThePluginAsItIsRegisteredThen() async throws {
    let rig = Rig { _ in
      Plugin(name: "a", endpoint: "/run/new.sock", failurePolicy: .fail, hookPoints: [.postStopContainer])
    }
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      await rig.clock.sleepers(1)
      rig.transport.plugin("a", answers: [])
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    #expect(rig.transport.asked.map(\.endpoint) == ["/run/a.sock", "/run/new.sock"])
    #expect(rig.dispatcher.counters.owedDropped == 0)
  }

  @Test(arguments: [
    nil, Plugin(name: "a", endpoint: "/run/a.sock", failurePolicy: .fail, hookPoints: [.preRunPodSandbox]),
  ])
  func endsWhenNothingRegistersThePluginForItAnyMore(now: Plugin?) async throws {
    let rig = Rig { _ in now }
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      await rig.clock.sleepers(1)
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    #expect(rig.transport.asked.count == 1)
    #expect(rig.dispatcher.counters.owedDropped == 1)
    #expect(
      rig.log.lines(from: .error) == [
        "hook server a: PostStopContainer: owed, and now its registration is gone object=c1 pod=shop/web verdict=dropped"
      ])
  }

  @Test func isTriedOnceMoreWhenThePluginIsUnderIgnoreNow() async throws {
    let rig = Rig { _ in Plugin.named("a", .ignore) }
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, plugins)
      await rig.clock.sleepers(1)
      rig.clock.advance(by: .seconds(1))
      await waitUntil { rig.dispatcher.counters.owed == 0 }
    }
    #expect(rig.transport.asked.count == 2)
    #expect(rig.dispatcher.counters.owedDropped == 0)
  }

  @Test func whatIsOpenAtExitIsLoggedAndCounted() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    rig.transport.plugin("b", hangsOn: rig.clock)
    try await rig.running {
      await rig.postStop(request, plugins, object: "c1")
      await rig.postStop(request, plugins, object: "c2")
      let unfinished = Task { await rig.postStop(request, [.named("b", .fail)], object: "c3") }
      await rig.clock.sleepers(3)
      unfinished.cancel()
    }
    #expect(rig.dispatcher.counters.owedAtExit == 3)
    #expect(
      rig.log.lines(from: .error) == [
        "hook server a: PostStopContainer: 2 calls are still owed at exit objects=c1 c2 verdict=lost",
        "hook server b: PostStopContainer: 1 calls are still owed at exit objects=c3 verdict=lost",
      ])
    await rig.postStop(request, plugins, object: "c4")
    #expect(rig.dispatcher.counters.owedAtExit == 4)
  }

  /// Lets other tasks run until it is so; nothing else has to happen first.
  private func waitUntil(_ isSo: () -> Bool) async {
    while !isSo() { await Task.yield() }
  }
}
