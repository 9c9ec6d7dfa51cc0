/// The fields of an encoded message, one after the other; nothing is decoded and nothing is copied.
///
/// Ends with the bytes, or in front of what is no field: whoever has not checked the bytes before
/// (``WireShape/admits(_:)``) asks ``isAtEnd`` then.
package struct WireFields: Sequence, IteratorProtocol {
  /// How deep groups are followed. No message that this project knows has any.
  private static let groupLimit = 64
  /// Bytes of the greatest tag, whose field number has 29 bits.
  private static let tagBytes = 5

  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  package init(_ bytes: [UInt8]) { self.init(bytes, in: bytes.indices) }

  /// - Parameter range: A message within `bytes`.
  package init(_ bytes: [UInt8], in range: Range<Int>) {
    bytes.requireInside(range)
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  /// All bytes were fields.
  package var isAtEnd: Bool { position == end }

  package mutating func next() -> WireField? {
    guard position < end else { return nil }
    // Nearly every field: a tag of one byte, a length of one or two (a second byte that goes on makes it too large here).
    // Whatever is read is in front of `end`, and so within the bytes.
    let start = position
    if end &- start >= 3 {
      let tag = bytes.span[unchecked: start]
      var count = Int(bytes.span[unchecked: start &+ 1])
      var content = start &+ 2
      if count >= 0x80 {
        count = count & 0x7f | Int(bytes.span[unchecked: content]) << 7
        content &+= 1
      }
      if tag & 0x87 == WireType.bytes.rawValue, tag >> 3 != 0, count < 1 << 14, count <= end &- content {
        position = content &+ count
        let range = Range(uncheckedBounds: (content, position))
        return WireField(number: Int(tag >> 3), type: .bytes, start: start, content: range)
      }
    }
    return next(groups: 0)
  }

  /// A field of any form.
  private mutating func next(groups: Int) -> WireField? {
    guard position < end else { return nil }
    let start = position
    var cursor = start
    guard let tag = bytes.varint(at: &cursor, before: end), cursor - start <= Self.tagBytes, tag >> 3 != 0,
      tag <= UInt64(UInt32.max), let type = WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7))
    else { return nil }
    let number = Int(truncatingIfNeeded: tag >> 3)
    guard let content = content(of: type, number, at: cursor, groups: groups) else { return nil }
    position = content.upperBound
    return WireField(number: number, type: type, start: start, content: content)
  }

  private func content(of type: WireType, _ number: Int, at start: Int, groups: Int) -> Range<Int>? {
    var cursor = start
    switch type {
    case .varint:
      guard bytes.varint(at: &cursor, before: end) != nil else { return nil }
      return start..<cursor
    case .fixed64: return end - start < 8 ? nil : start..<start + 8
    case .fixed32: return end - start < 4 ? nil : start..<start + 4
    case .bytes:
      guard let count = bytes.varint(at: &cursor, before: end), count <= UInt64(end - cursor) else { return nil }
      return cursor..<cursor + Int(count)
    case .startGroup: return groups < Self.groupLimit ? contentOfGroup(number, at: start, groups: groups + 1) : nil
    case .endGroup: return groups > 0 ? start..<start : nil
    }
  }

  private func contentOfGroup(_ number: Int, at start: Int, groups: Int) -> Range<Int>? {
    var inner = WireFields(bytes, in: start..<end)
    while let field = inner.next(groups: groups) {
      guard field.type == .endGroup else { continue }
      return field.number == number ? start..<field.content.upperBound : nil
    }
    return nil
  }
}
