internal import Accounts
internal import HTTP2

extension HeaderBlock {
  /// The trace that the call belongs to; nil if it belongs to none.
  var traceContext: TraceContext? {
    guard let parent = value(of: TraceContext.parentName) else { return nil }
    return TraceContext(
      parent: parent, states: textFields.filter { $0.name == TraceContext.stateName }.map(\.value))
  }
}
