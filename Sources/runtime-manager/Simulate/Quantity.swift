/// An amount as Kubernetes writes it: `500m`, `2`, `1.5Gi`, `1e3` (apimachinery, package resource).
struct Quantity: Hashable, Sendable, Comparable {
  /// In thousandths, rounded up, as kubelet takes CPUs.
  let milli: Int64

  static let zero = Quantity(milli: 0)

  init(milli: Int64) { self.milli = milli }

  /// In whole units, rounded up, as kubelet takes bytes.
  var whole: Int64 { milli / 1000 + (milli % 1000 > 0 ? 1 : 0) }

  private static let binary: [String: Double] = [
    "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40, "Pi": 0x1p50, "Ei": 0x1p60,
  ]
  private static let decimal: [String: Double] = [
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
  ]

  /// - Returns: `nil` for what is no quantity, is negative, or is more than fits.
  init?(_ text: String) {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let suffix = String(text.dropFirst(number.count))
    guard number.contains(where: \.isNumber), let value = Double(number) else { return nil }
    let factor: Double
    if let known = Self.binary[suffix] ?? Self.decimal[suffix] {
      factor = known
    } else if suffix.first == "e" || suffix.first == "E", let power = Double("1\(suffix)") {
      factor = power
    } else {
      return nil
    }
    let milli = (value * factor * 1000).rounded(.up)
    guard milli < 0x1p63 else { return nil }
    self.milli = Int64(milli)
  }

  static func < (first: Quantity, second: Quantity) -> Bool { first.milli < second.milli }
  /// As much as fits.
  static func + (first: Quantity, second: Quantity) -> Quantity {
    let (sum, isTooMuch) = first.milli.addingReportingOverflow(second.milli)
    return Quantity(milli: isTooMuch ? .max : sum)
  }
}
