/// Numbers, times and ids as people read them.
enum Words {
  /// Milliseconds, with three digits that count: `0.42 ms`, `12.3 ms`, `1.50 s`.
  static func duration(milliseconds: Double) -> String {
    switch milliseconds {
    case ..<9.995: "\(fixed(milliseconds, digits: 2)) ms"
    case ..<99.95: "\(fixed(milliseconds, digits: 1)) ms"
    case ..<999.5: "\(fixed(milliseconds, digits: 0)) ms"
    default: "\(fixed(milliseconds / 1000, digits: 2)) s"
    }
  }

  /// RFC 3339 without what a glance does not need: `2026-11-21 16:01:53`, in UTC.
  static func time(_ text: String) -> String { String(text.prefix(19)).split(separator: "T").joined(separator: " ") }

  /// As crictl shows it.
  static func id(_ text: String) -> String { String(text.prefix(13)) }

  static func count(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }

  static func fixed(_ number: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((number * Double(scale)).rounded())
    guard digits > 0 else { return "\(scaled)" }
    let fraction = "\(scaled % scale)"
    return "\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }
}
