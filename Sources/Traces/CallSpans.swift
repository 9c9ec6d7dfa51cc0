package import Accounts
internal import FoundationEssentials
package import Tracing

/// Spans of hooked calls, made from their accounts when they are filed: one for the call, and one below it for each plugin
/// that was asked.
///
/// The way of a call knows of no span. The call's span is a child of the one that its caller named, as the runtime's and
/// the plugins' are; names and attributes are OpenTelemetry's where it has any (semantic conventions, "RPC" and
/// "Kubernetes"). What an account never holds, no span does.
package struct CallSpans: Sendable {
  private let tracer: any Tracer

  /// - Parameter tracer: By default whatever the program was started with (`InstrumentationSystem.bootstrap`).
  /// - Returns: nil if it records nothing.
  package init?(_ tracer: any Tracer = InstrumentationSystem.tracer) {
    if tracer is NoOpTracer { return nil }
    self.tracer = tracer
  }

  package func record(_ account: Account) {
    var context = InstrumentationContext.topLevel
    if let trace = account.trace { tracer.extract(trace, into: &context, using: TraceExtractor()) }
    // What went on when kubelet had been answered is kubelet's child alone: the call's own span has ended.
    let call = account.attempt == nil ? span(of: account, in: context) : nil
    for hookCall in account.hookCalls where hookCall.wasAsked {
      record(hookCall, of: account, in: call?.context ?? context)
    }
    call?.end(at: account.instant(after: account.duration))
  }

  private func span(of account: Account, in context: InstrumentationContext) -> any Span {
    let span = tracer.startSpan(
      account.verb, context: context, ofKind: .server, at: account.instant(after: .zero))
    span.attributes = account.attributes
    if let problem = account.problem { span.setStatus(problem) }
    return span
  }

  private func record(_ call: HookCall, of account: Account, in context: InstrumentationContext) {
    let span = tracer.startSpan(
      call.hookPoint, context: context, ofKind: .client, at: account.instant(after: call.began))
    span.attributes = call.attributes
    if let attempt = account.attempt { span.attributes["runtime_manager.attempt"] = attempt }
    if let failure = call.verdict.failure { span.setStatus(SpanStatus(code: .error, message: failure.text)) }
    span.end(at: account.instant(after: call.began + call.duration))
  }
}
