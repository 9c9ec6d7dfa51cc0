/// The trace that a call belongs to, as its caller said it (W3C Trace Context, "Trace Context HTTP Headers Format"): goes on
/// to plugins as it came, so that what they record belongs to the same trace as what the runtime records.
package struct TraceContext: Sendable, Hashable {
  package static let parentName = "traceparent"
  package static let stateName = "tracestate"
  /// What a participant must at least pass on ("tracestate Limits"); a longer one is left out, as nobody may cut it.
  static let stateLimitBytes = 512
  /// Of version 00; later ones may be longer, and begin the same.
  private static let parentBytes = 55
  private static let parentLimitBytes = 128

  /// The value of the header `traceparent`.
  package let parent: String
  /// The value of the header `tracestate`.
  package let state: String?

  /// Under which the trace is found, wherever it is kept: 32 hexadecimal digits.
  package var traceID: String { String(parent.dropFirst(3).prefix(32)) }

  /// - Parameters:
  ///   - parent: The value of the header `traceparent`.
  ///   - states: The values of all headers `tracestate`, in their order.
  /// - Returns: nil if there is no trace: an invalid parent ends it, and a state alone says nothing.
  package init?(parent: String?, states: [String]) {
    guard let parent, Self.isValid(parent) else { return nil }
    self.parent = parent
    let state = states.joined(separator: ",")
    self.state = state.isEmpty || state.utf8.count > Self.stateLimitBytes ? nil : state
  }

  /// `version-traceid-parentid-flags` in lower-case hexadecimal digits; version ff and ids of zeros are forbidden.
  private static func isValid(_ parent: String) -> Bool {
    let bytes = Array(parent.utf8)
    guard (parentBytes...parentLimitBytes).contains(bytes.count) else { return false }
    let fields = parent.split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count >= 4,
      zip(fields, [2, 32, 16, 2]).allSatisfy({ $0.utf8.count == $1 && $0.utf8.allSatisfy(isHex) })
    else { return false }
    let isKnownVersion = fields[0] == "00"
    return fields[0] != "ff" && (!isKnownVersion || bytes.count == parentBytes)
      && fields[1...2].allSatisfy { !$0.utf8.allSatisfy { $0 == UInt8(ascii: "0") } }
      && bytes.allSatisfy { (0x21...0x7e).contains($0) }
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
