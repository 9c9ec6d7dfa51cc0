import InMemoryTracing
import Tracing

/// Keeps spans in memory, and takes its parents from W3C headers, as the tracers that people have do.
struct W3CTracer: Tracer {
  let memory = InMemoryTracer()

  func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> InMemorySpan {
    memory.startSpan(
      operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID, line: line)
  }

  func forceFlush() {}

  func inject<Carrier, Inject: Injector>(
    _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {}

  func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let parent = extractor.extract(key: "traceparent", from: carrier)?.split(separator: "-") else { return }
    context.inMemorySpanContext = InMemorySpanContext(
      traceID: String(parent[1]), spanID: String(parent[2]), parentSpanID: nil)
    context.state = extractor.extract(key: "tracestate", from: carrier)
  }
}

extension InstrumentationContext {
  private enum StateKey: InstrumentationContextKey { typealias Value = String }

  /// What the tracer was given of `tracestate`.
  var state: String? {
    get { self[StateKey.self] }
    set { self[StateKey.self] = newValue }
  }
}
