// Reading encoded messages. All but `varint` want bytes that a ``WireShape`` has admitted.

extension [UInt8] {
  /// The number at `cursor`, which moves behind it; nil if none ends before `end`. Of the tenth byte one bit counts,
  /// as in every implementation.
  package func varint(at cursor: inout Int, before end: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var next = cursor
    while next < end, shift < 70 {
      let byte = self[next]
      next += 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 {
        cursor = next
        return value
      }
      shift += 7
    }
    return nil
  }

  /// The number that is the content of a field of the type varint.
  package func number(of field: WireField) -> UInt64 {
    var cursor = field.content.lowerBound
    return varint(at: &cursor, before: field.content.upperBound) ?? 0
  }

  /// Traps where a range reaches beyond the bytes. Whoever asks this once may read within the range unchecked.
  @inline(__always)
  func requireInside(_ range: Range<Int>) { precondition(range.lowerBound >= 0 && range.upperBound <= count) }

  /// Whether what is in `range` is `other`.
  func has(_ other: [UInt8], in range: Range<Int>) -> Bool {
    guard range.count == other.count else { return false }
    requireInside(range)
    // Keys of one domain begin alike: those that differ do so sooner from behind.
    var (left, right) = (range.upperBound, other.count)
    while right > 0 {
      left &-= 1
      right &-= 1
      if span[unchecked: left] != other.span[unchecked: right] { return false }
    }
    return true
  }

  /// The text that is the content of a field.
  package func text(in range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }

  /// The last field of this number and type, which is the one that counts.
  package func last(_ number: Int, _ type: WireType, in range: Range<Int>) -> WireField? {
    var found: WireField?
    for field in WireFields(self, in: range) where field.number == number && field.type == type { found = field }
    return found
  }

  /// The text or message at the end of a path, nil if there is none.
  package func content(at path: WirePath) -> Range<Int>? {
    guard let list = container(of: path) else { return nil }
    return last(path.last, .bytes, in: list)?.content
  }

  /// The message that has the last field of a path, or would have it; nil if there is no such message.
  package func container(of path: WirePath) -> Range<Int>? {
    var range = indices
    var ahead = path.parent
    while let path = ahead {
      // What is admitted has each message on the way once.
      guard let message = first(path.first, in: range) else { return nil }
      range = message
      ahead = path.rest
    }
    return range
  }

  private func first(_ number: Int, in range: Range<Int>) -> Range<Int>? {
    for field in WireFields(self, in: range) where field.number == number && field.type == .bytes {
      return field.content
    }
    return nil
  }
}
