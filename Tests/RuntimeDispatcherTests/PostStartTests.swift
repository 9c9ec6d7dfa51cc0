import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Synchronization
import Testing

@Suite struct PostStartTests {
  private let request = ContainerResourceHookRequest.example

  @Test func asksAllAtOnceWithTheSameStateAndMergesByName() async throws {
    let rig = Rig()
    // Nobody answers before all have been asked.
    let transport = rig.transport
    transport.plugin("a") { [unowned transport] _ in
      await answer(.with { $0.containerResources.cpuShares = 7 }, after: 2, on: transport)
    }
    transport.plugin("b") { [unowned transport] _ in
      await answer(
        .with {
          $0.containerResources.cpuShares = 8; $0.containerResources.cpuQuota = 9
        }, after: 2, on: transport)
    }
    try await rig.running {
      let (changed, changes) = try await rig.postStart(request, [.named("a"), .named("b")])
      let asked = try transport.asked.map { try $0.container }
      #expect(asked == [request, request])
      #expect(changes.map(\.plugin.name) == ["a", "b"])
      #expect(changed.containerResources.cpuShares == 7)
      #expect(changed.containerResources.cpuQuota == 9)
    }
    #expect(rig.dispatcher.counters.changesDropped == 1)
  }

  @Test func theSameChangeFromTwoPluginsIsMadeOnce() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    try rig.transport.plugin("b", answers: cpuShares(7))
    try await rig.running {
      let changes = try await rig.postStart(request, [.named("a", .fail), .named("b", .fail)]).changes
      #expect(changes.map(\.plugin.name) == ["a"])
    }
  }

  @Test func severalFailuresHaveTheFirstOnesCodeAndNameAll() async throws {
    let rig = Rig()
    rig.transport.plugin("b", fails: .status(Status(.resourceExhausted, "full")))
    rig.transport.plugin("c", fails: .connectionBroken("reset"))
    rig.transport.plugin("d", fails: .socketUnavailable("absent"))
    try await rig.running {
      let refusal = await #expect(throws: Refusal.self) {
        _ = try await rig.postStart(request, [.named("a"), .named("d", .fail), .named("c"), .named("b", .fail)])
      }
      #expect(
        refusal?.status
          == Status(
            .resourceExhausted,
            "hook server err: b: PostStartContainer: RESOURCE_EXHAUSTED: full; "
              + "d: PostStartContainer: socket unavailable: absent"))
    }
    #expect(rig.log.lines().count == 3)
  }

  @Test func whoHasNotAnsweredByTheDeadlineHasFailed() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    rig.transport.plugin("b", hangsOn: rig.clock)
    try await rig.running {
      async let result = rig.postStart(request, [.named("a"), .named("b")], within: .seconds(2))
      await rig.clock.sleepers(1)
      rig.clock.advance(by: .seconds(2))
      let changes = try await result.changes
      #expect(changes.count == 1)
    }
    #expect(rig.log.lines().first?.contains("deadline of 2 s passed, which was all") == true)
  }

  @Test func kubeletsLeavingDoesNotEndIt() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    let clock = rig.clock
    rig.transport.plugin("b") { _ throws(HookCallError) in try await clock.wire(cpuShares(7), afterSeconds: 1) }
    try await rig.running {
      let task = Task { try await rig.postStart(request, [.named("a"), .named("b")]).changes.count }
      await rig.clock.sleepers(2)
      task.cancel()
      rig.clock.advance(by: .seconds(5))
      let count = try await task.value
      #expect(count == 1)
    }
  }

  @Test func theEndOfTheDispatcherIsThePluginsFailure() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    let task = Mutex<Task<Status?, Never>?>(nil)
    try await rig.running {
      task.withLock { task in
        task = Task { [request] in
          do throws(Refusal) { _ = try await rig.postStart(request, [.named("a", .fail)]) } catch {
            return error.status
          }
          return nil
        }
      }
      await rig.clock.sleepers(1)
    }
    let expected = Status(
      .unavailable, "hook server err: a: PostStartContainer: RuntimeManager is shutting down")
    #expect(await task.withLock { $0 }?.value == expected)
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.postStart(request, [.named("a", .fail)])
    }
    #expect(refusal?.status == expected)
  }
}

/// The answer's bytes, as soon as so many calls have come.
private func answer(
  _ message: ContainerResourceHookResponse, after calls: Int, on transport: MemoryTransport
) async -> [UInt8] {
  await transport.calls(calls)
  return (try? message.serializedBytes()) ?? []
}

extension ManualClock {
  fileprivate func wire(
    _ message: ContainerResourceHookResponse, afterSeconds seconds: Int
  ) async throws(HookCallError) -> [UInt8] {
    do { try await sleep(for: .seconds(seconds)) } catch { throw .cancelled }
    return (try? message.serializedBytes()) ?? []
  }
}
