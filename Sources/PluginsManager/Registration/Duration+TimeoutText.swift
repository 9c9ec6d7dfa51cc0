extension Duration {
  /// What a plugin's deadline may be.
  private static let timeoutRange = Duration.milliseconds(1)...Duration.seconds(60)

  /// Reads the value of the key `timeout`: the part of Go's duration syntax that makes sense for a deadline.
  ///
  /// One or more of a decimal number directly followed by `ms`, `s` or `m`; they add up. A number is digits,
  /// optionally a point and more digits. No sign, no spaces, no other units, nothing without a unit. Examples:
  /// `500ms`, `2s`, `1.5s`, `1s500ms`, `1m`. Fractions of a nanosecond are dropped.
  ///
  /// `nil` for anything else, and for a sum below 1 ms or above 60 s.
  package init?(timeoutText text: String) {
    var rest = text.utf8[...]
    var nanoseconds: Int64 = 0
    repeat {
      guard let term = Self.takeTerm(from: &rest) else { return nil }
      nanoseconds += term
      // Checked at once so that no number of terms can overflow.
      guard nanoseconds <= 60_000_000_000 else { return nil }
    } while !rest.isEmpty
    self = .nanoseconds(nanoseconds)
    guard Self.timeoutRange.contains(self) else { return nil }
  }

  /// Takes one number with its unit, in nanoseconds.
  private static func takeTerm(from rest: inout Substring.UTF8View) -> Int64? {
    guard let whole = takeDigits(from: &rest) else { return nil }
    var fraction = rest.prefix(0)
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      guard let digits = takeDigits(from: &rest) else { return nil }
      fraction = digits
    }
    guard var scale = takeUnit(from: &rest), let number = Int64(String(Substring(whole))) else { return nil }
    var (sum, overflow) = number.multipliedReportingOverflow(by: scale)
    guard !overflow, sum <= 60_000_000_000 else { return nil }
    for digit in fraction {
      scale /= 10
      sum += Int64(digit - UInt8(ascii: "0")) * scale
    }
    return sum
  }

  private static func takeDigits(from rest: inout Substring.UTF8View) -> Substring.UTF8View? {
    let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    rest = rest.dropFirst(digits.count)
    return digits.isEmpty ? nil : digits
  }

  private static func takeUnit(from rest: inout Substring.UTF8View) -> Int64? {
    let unit = rest.prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
    rest = rest.dropFirst(unit.count)
    return switch String(Substring(unit)) {
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    default: nil
    }
  }
}
