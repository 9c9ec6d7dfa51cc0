/// The header `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
package enum RequestTimeout {
  package static let headerName = "grpc-timeout"

  /// - Returns: The time that the caller gives the call; nil if `text` is not a timeout.
  package static func parse(_ text: String) -> Duration? {
    guard let unit = text.utf8.last, (2...9).contains(text.utf8.count) else { return nil }
    let digits = text.utf8.dropLast()
    guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = Int64(Substring(digits))
    else { return nil }
    switch unit {
    case UInt8(ascii: "H"): return .seconds(value * 3600)
    case UInt8(ascii: "M"): return .seconds(value * 60)
    case UInt8(ascii: "S"): return .seconds(value)
    case UInt8(ascii: "m"): return .milliseconds(value)
    case UInt8(ascii: "u"): return .microseconds(value)
    case UInt8(ascii: "n"): return .nanoseconds(value)
    default: return nil
    }
  }

  /// The finest unit in which `duration` fits eight digits; never negative, never rounded up.
  package static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return "0n" }
    let limit: Int64 = 99_999_999
    if seconds == 0, attoseconds / 1_000_000_000 <= limit { return "\(attoseconds / 1_000_000_000)n" }
    if seconds < 99 { return "\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)u" }
    if seconds < 99_999 { return "\(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)m" }
    if seconds <= limit { return "\(seconds)S" }
    return "\(min(seconds / 3600, limit))H"
  }
}
