internal import Accounts
internal import Tracing

/// Gives a tracer the headers of W3C Trace Context.
struct TraceExtractor: Extractor {
  func extract(key: String, from trace: TraceContext) -> String? {
    switch key {
    case TraceContext.parentName: trace.parent
    case TraceContext.stateName: trace.state
    default: nil
    }
  }
}
