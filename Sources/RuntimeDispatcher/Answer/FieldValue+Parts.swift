extension FieldValue {
  /// The number, if it is one.
  package var number: Int64? { if case .number(let number) = self { number } else { nil } }

  /// The huge page limit, bytes, if it is one.
  package var limit: UInt64? { if case .limit(let limit) = self { limit } else { nil } }

  /// The text, if it is one.
  package var text: String? { if case .text(let text) = self { text } else { nil } }

  /// The text of a cpuset, which is empty when it is cleared.
  package var cpuset: String? { self == .cleared ? "" : text }

  /// Non-zero as a value, zero as nil: the protocol has no presence for numbers.
  init?(nonZero number: Int64) {
    guard number != 0 else { return nil }
    self = .number(number)
  }

  /// Non-empty as a value, empty as nil: the protocol has no presence for texts.
  init?(nonEmpty text: String) {
    guard !text.isEmpty else { return nil }
    self = .text(text)
  }
}
