import Accounts
import Testing

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

  @Test func hasAnID() {
    #expect(TraceContext(parent: Self.parent, states: [])?.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
  }
}
