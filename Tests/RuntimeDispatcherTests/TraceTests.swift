import Accounts
import HookMessages
import PluginsManager
import Testing

@testable import RuntimeDispatcher

/// The trace of a call on its way to plugins.
@Suite struct TraceTests {
  private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

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
