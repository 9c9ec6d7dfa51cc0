// Writing fields at the end of a message.

extension [UInt8] {
  package mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7f {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  package mutating func append(field number: Int, varint value: UInt64) {
    append(varint: UInt64(number) << 3 | UInt64(WireType.varint.rawValue))
    append(varint: value)
  }

  /// Appends bytes, a text in UTF-8 or an encoded message.
  package mutating func append(field number: Int, _ content: ArraySlice<UInt8>) {
    append(varint: UInt64(number) << 3 | UInt64(WireType.bytes.rawValue))
    append(varint: UInt64(content.count))
    append(contentsOf: content)
  }

  /// Appends a message that `body` writes.
  mutating func append(field number: Int, _ body: (inout [UInt8]) -> Void) {
    append(varint: UInt64(number) << 3 | UInt64(WireType.bytes.rawValue))
    let start = count
    body(&self)
    // Only now is it known how long the length is that belongs in front.
    var length: [UInt8] = []
    length.append(varint: UInt64(count - start))
    insert(contentsOf: length, at: start)
  }
}
