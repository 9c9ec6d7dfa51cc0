/// An entry of a map, or of a list that is used like one: a key in field 1, a value in field 2.
package struct WireEntry: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case text([UInt8])
    case number(UInt64)
  }

  static let keyNumber = 1
  static let valueNumber = 2

  package var key: [UInt8]
  package var value: Value

  package init(_ key: String, _ text: String) {
    self.key = Array(key.utf8)
    value = .text(Array(text.utf8))
  }

  package init(_ key: String, _ number: UInt64) {
    self.key = Array(key.utf8)
    value = .number(number)
  }

  /// Appends the entry to `message`.
  func append(to message: inout [UInt8]) {
    message.append(field: Self.keyNumber, key[...])
    appendValue(to: &message)
  }

  /// Appends the entry in `range` of `bytes` with this one's value. What else is in it stays.
  func append(replacing bytes: [UInt8], in range: Range<Int>, to message: inout [UInt8]) {
    var isWritten = false
    for field in WireFields(bytes, in: range) {
      if field.number != Self.valueNumber || field.type != type {
        message += bytes[field.range]
      } else if !isWritten {
        appendValue(to: &message)
        isWritten = true
      }
    }
    if !isWritten { appendValue(to: &message) }
  }

  private var type: WireType {
    switch value {
    case .text: .bytes
    case .number: .varint
    }
  }

  private func appendValue(to bytes: inout [UInt8]) {
    switch value {
    case .text(let text): bytes.append(field: Self.valueNumber, text[...])
    case .number(let number): bytes.append(field: Self.valueNumber, varint: number)
    }
  }
}

extension [UInt8] {
  /// Key and text of the entry in `range`, if there is nothing else in it and the key is short: so is nearly every entry,
  /// and this is much faster than to look at its fields.
  @inline(__always)
  func plainEntry(in range: Range<Int>) -> (key: Range<Int>, text: Range<Int>)? {
    requireInside(range)
    let bytes = span
    let (start, end) = (range.lowerBound, range.upperBound)
    // Whatever is read below is in front of `end`.
    guard end &- start >= 4, bytes[unchecked: start] == 0x0a else { return nil }
    let tag = start &+ 2 &+ Int(bytes[unchecked: start &+ 1])
    guard bytes[unchecked: start &+ 1] < 0x80, tag &+ 1 < end, bytes[unchecked: tag] == 0x12 else { return nil }
    var text = tag &+ 2
    var length = UInt64(bytes[unchecked: tag &+ 1])
    if length >= 0x80 {
      text = tag &+ 1
      guard let long = varint(at: &text, before: end) else { return nil }
      length = long
    }
    guard length == UInt64(end &- text) else { return nil }
    return (Range(uncheckedBounds: (start &+ 2, tag)), Range(uncheckedBounds: (text, end)))
  }

  /// The key of the entry in `range`; an empty one if it has none.
  package func entryKey(in range: Range<Int>) -> Range<Int> {
    if let plain = plainEntry(in: range) { return plain.key }
    return last(WireEntry.keyNumber, .bytes, in: range)?.content ?? range.lowerBound..<range.lowerBound
  }

  /// The text of the entry in `range`; an empty one if it has none.
  package func entryText(in range: Range<Int>) -> Range<Int> {
    if let plain = plainEntry(in: range) { return plain.text }
    return last(WireEntry.valueNumber, .bytes, in: range)?.content ?? range.lowerBound..<range.lowerBound
  }

  /// The number of the entry in `range`, zero if it has none.
  package func entryNumber(in range: Range<Int>) -> UInt64 {
    guard let field = last(WireEntry.valueNumber, .varint, in: range) else { return 0 }
    return number(of: field)
  }

  /// The text under a key in a map; nil if there is none.
  package func text(of key: String, at map: WirePath) -> String? {
    guard let list = container(of: map) else { return nil }
    let (number, key) = (map.last, Array(key.utf8))
    var found: Range<Int>?
    for field in WireFields(self, in: list) where field.number == number && field.type == .bytes {
      if has(key, in: entryKey(in: field.content)) { found = field.content }
    }
    guard let found else { return nil }
    return text(in: entryText(in: found))
  }
}
