import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import Testing

/// The breaker at work between calls.
@Suite struct TrippedPluginTests {
  private let request = ContainerResourceHookRequest.example

  @Test func aHungPluginIsNotAskedAfterFiveDeadlinesUntilItsSocketIsNew() async throws {
    let rig = Rig()
    rig.transport.bindSocket(of: "a", inode: 1)
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await hang(rig, times: 5)
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preStartContainer, request, [.named("a", .fail)])
    }
    #expect(refusal?.status.code == .unavailable)
    #expect(rig.transport.asked.count == 5)
    rig.transport.bindSocket(of: "a", inode: 2)
    try rig.transport.plugin("a", answers: cpuShares(7))
    #expect(try await rig.pre(.preStartContainer, request, [.named("a", .fail)]).changes.count == 1)
  }

  @Test func afterFiveSecondsOneCallTriesAndItsAnswerClosesTheBreaker() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await hang(rig, times: 5)
    rig.clock.advance(by: .seconds(5))
    try rig.transport.plugin("a", answers: cpuShares(7))
    for _ in 0..<2 {
      #expect(try await rig.pre(.preStartContainer, request, [.named("a", .fail)]).changes.count == 1)
    }
  }

  @Test func aChangedRegistrationIsAskedAtOnce() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await hang(rig, times: 5)
    try rig.transport.plugin("a", answers: cpuShares(7))
    #expect(try await rig.pre(.preStartContainer, request, [.named("a", .fail, version: 1)]).changes.count == 1)
  }

  @Test func deadlinesThatKubeletsOwnHadShortenedDoNotCount() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await hang(rig, times: 6, within: .seconds(1))
    #expect(rig.transport.asked.count == 6)
  }

  @Test func onePluginsBreakerIsNoOtherPlugins() async throws {
    let rig = Rig()
    rig.transport.plugin("a", hangsOn: rig.clock)
    try await hang(rig, times: 5)
    _ = try await rig.pre(.preStartContainer, request, [.named("a"), .named("b")])
    #expect(rig.transport.askedPlugins.last == "b")
  }

  private func hang(_ rig: Rig, times: Int, within budget: Duration? = nil) async throws {
    for _ in 0..<times {
      async let result = rig.pre(.preStartContainer, request, [.named("a")], within: budget)
      await rig.clock.sleepers(1)
      rig.clock.advance(by: budget ?? .seconds(5))
      _ = try await result
    }
  }
}
