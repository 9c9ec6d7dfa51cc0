import HookMessages
import PluginsManager
import Testing

@testable import RuntimeDispatcher

/// W3C Trace Context.
@Suite struct TraceContextTests {
  private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

  @Test(arguments: [
    parent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later",
  ])
  func isKeptAsItCame(parent: String) {
    let trace = TraceContext(parent: parent, states: ["a=1", "b=2"])
    #expect(trace?.parent == parent)
    #expect(trace?.state == "a=1,b=2")
    #expect(TraceContext(parent: parent, states: [])?.state == nil)
  }

  @Test(arguments: [
    "", "00", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-\u{7f}",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-" + String(repeating: "x", count: 1_000),
  ])
  func anInvalidParentIsNone(parent: String) {
    #expect(TraceContext(parent: parent, states: ["a=1"]) == nil)
    #expect(TraceContext(parent: nil, states: ["a=1"]) == nil)
  }

  @Test func aStateThatIsTooLongIsLeftOut() {
    let trace = TraceContext(parent: Self.parent, states: [String(repeating: "x", count: 513)])
    #expect(trace != nil)
    #expect(trace?.state == nil)
  }

  @Test func goesToEveryPluginOfTheCallRepetitionsIncluded() async throws {
    let rig = Rig()
    let trace = try #require(TraceContext(parent: Self.parent, states: ["a=1"]))
    let company = CallCompany(trace: trace)
    let registry = Registry(plugins: [.named("p", .fail)])
    var request = ContainerResourceHookRequest.example
    var call = rig.dispatcher.call(about: request, in: registry, company: company)
    _ = try await rig.dispatcher.pre(.preStartContainer, &request, call: &call, deadline: nil)
    try await rig.running {
      _ = try await rig.dispatcher.postStart(&request, call: &call, deadline: nil)
      rig.transport.plugin("p", fails: .socketUnavailable("absent"))
      await rig.dispatcher.postStop(
        .postStopContainer, objectID: "c1", in: registry, answerBy: nil, company: company
      ) { .known(ContainerResourceHookRequest.example) }
      await rig.clock.sleepers(1)
      rig.transport.plugin("p", answers: [])
      rig.clock.advance(by: .seconds(1))
      await rig.transport.calls(4)
    }
    #expect(rig.transport.asked.map(\.trace) == Array(repeating: trace, count: 4))
  }
}
