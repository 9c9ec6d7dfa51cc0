import Accounts
import FoundationEssentials
import InMemoryTracing
import Testing
import Traces
import Tracing

@Suite struct CallSpansTests {
  private static let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
  private let tracer = W3CTracer()

  private func call(_ hookCalls: [HookCall] = [], attempt: Int? = nil, isTraced: Bool = true) -> Account {
    Account(
      verb: "CreateContainer", pod: PodIdentity(namespace: "shop", name: "web", uid: "u1"), podSandboxID: "p1",
      containerID: "c1", began: Date(timeIntervalSince1970: 100), duration: .milliseconds(40), runtimeCode: "OK",
      kubeletCode: attempt == nil ? "OK" : nil, hookCalls: hookCalls, attempt: attempt,
      trace: isTraced ? TraceContext(parent: "00-\(Self.traceID)-00f067aa0ba902b7-01", states: ["a=1"]) : nil)
  }

  private func hookCall(_ plugin: String, _ verdict: Verdict) -> HookCall {
    HookCall(
      plugin: plugin, hookPoint: "PreCreateContainer", isUnderFail: true, began: .milliseconds(10),
      duration: .milliseconds(20), verdict: verdict)
  }

  private func recorded(_ account: Account) throws -> [FinishedInMemorySpan] {
    try #require(CallSpans(tracer)).record(account)
    #expect(tracer.memory.activeSpans.isEmpty)
    return tracer.memory.popFinishedSpans()
  }

  @Test func withoutATracerThereAreNone() {
    #expect(CallSpans() == nil)
  }

  @Test func aCallIsAChildOfItsCallersSpanAndAHookCallOfTheCalls() throws {
    let spans = try recorded(call([hookCall("a", .changed), hookCall("b", .unchanged)]))
    #expect(spans.map(\.operationName) == ["PreCreateContainer", "PreCreateContainer", "CreateContainer"])
    #expect(spans.map(\.kind) == [.client, .client, .server])
    #expect(spans.allSatisfy { $0.traceID == Self.traceID && $0.context.state == "a=1" })
    #expect(spans[2].parentSpanID == "00f067aa0ba902b7")
    #expect(spans[0].parentSpanID == spans[2].spanID && spans[1].parentSpanID == spans[2].spanID)
    #expect(spans.map(\.startInstant.nanosecondsSinceEpoch) == [100_010_000_000, 100_010_000_000, 100_000_000_000])
    #expect(spans.map(\.endInstant.nanosecondsSinceEpoch) == [100_030_000_000, 100_030_000_000, 100_040_000_000])
    #expect(spans[0].attributes.get("runtime_manager.plugin") == .string("a"))
    #expect(spans[0].attributes.get("runtime_manager.outcome") == .string("changed"))
    #expect(spans[2].attributes.get("k8s.pod.name") == .string("web"))
    #expect(spans[2].attributes.get("container.id") == .string("c1"))
    #expect(spans[2].attributes.get("rpc.response.status_code") == .string("OK"))
    #expect(spans.allSatisfy { $0.status == nil })
  }

  @Test func aCallWithoutATraceBeginsOne() throws {
    let spans = try recorded(call([hookCall("a", .changed)], isTraced: false))
    #expect(spans.count == 2)
    #expect(spans[1].parentSpanID == nil && spans[0].traceID == spans[1].traceID)
  }

  @Test func aRefusalIsAnErrorOfThePluginAndOfTheCall() throws {
    let failure = Failure(.status, "INTERNAL: no", effect: .refused)
    var account = call([hookCall("a", .failed(failure)), hookCall("b", .notAsked(.refusedEarlier))])
    account.kubeletCode = "INTERNAL"
    account.refusal = "a says no"
    let spans = try recorded(account)
    #expect(spans.map(\.status?.code) == [.error, .error])
    #expect(spans.map(\.status?.message) == ["INTERNAL: no", "a says no"])
  }

  @Test func aCallThatIsResetIsAnError() throws {
    var account = call([hookCall("a", .changed)])
    account.kubeletCode = nil
    #expect(try recorded(account).last?.status?.message == "the call was reset")
  }

  @Test(arguments: [
    Verdict.notAsked(.skipLabel), .pending, .failed(Failure(.tripped, "tripped", effect: .ignored)),
    .failed(Failure(.noTimeLeft, "none", effect: .ignored)),
    .failed(Failure(.subjectUnknown, "who", effect: .ignored)),
  ])
  func whoWasNotAskedHasNone(verdict: Verdict) throws {
    #expect(try recorded(call([hookCall("a", verdict)])).map(\.operationName) == ["CreateContainer"])
  }

  @Test func whatWentOnAfterTheAnswerIsAChildOfTheCallersSpan() throws {
    let spans = try recorded(call([hookCall("a", .answered)], attempt: 2))
    #expect(spans.map(\.operationName) == ["PreCreateContainer"])
    #expect(spans[0].parentSpanID == "00f067aa0ba902b7")
    #expect(spans[0].attributes.get("runtime_manager.attempt") == .int64(2))
  }
}
