extension [UInt8] {
  /// Whether these bytes are UTF-8, as swift-protobuf demands of a text.
  package func isUTF8(in range: Range<Int>) -> Bool {
    // Nearly every text is ASCII, eight bytes of which show it at once.
    let raw = span.bytes
    var position = range.lowerBound
    while position + 8 <= range.upperBound {
      let eight = raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
      guard eight & 0x8080_8080_8080_8080 == 0 else { break }
      position += 8
    }
    while position < range.upperBound, self[position] < 0x80 { position += 1 }
    return position == range.upperBound || String(validating: self[position..<range.upperBound], as: UTF8.self) != nil
  }
}
