/// A field's value, as far as it may be told.
package enum ShownValue: Sendable, Hashable {
  /// In the field's own unit.
  case number(Int64)
  /// Bytes.
  case limit(UInt64)
  /// At most ``limitBytes``; use ``init(text:)``.
  case text(String)
  case cleared
  /// There is one, and it is nobody's business.
  case secret

  /// Of a key or text that is longer, the beginning is kept, and an ellipsis.
  package static let limitBytes = 256

  package init(text: String) { self = .text(Self.cut(text)) }

  static func cut(_ text: String) -> String {
    guard text.utf8.count > limitBytes else { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: limitBytes - ellipsis.utf8.count)
    while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return text[..<end] + ellipsis
  }

  private static let ellipsis = "\u{2026}"
}

extension ShownValue: CustomStringConvertible {
  package var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .limit(let limit): "\(limit)"
    case .text(let text): text
    case .cleared: "(cleared)"
    case .secret: "(hidden)"
    }
  }
}
