/// Fields of messages that RuntimeManager does not read, and that have no generated code here.
enum WireField {
  static func number(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }

  static func bytes(_ number: Int, _ value: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(value.count) + value
  }

  /// A map of strings.
  static func map(_ number: Int, _ entries: [String: String]) -> [UInt8] {
    entries.flatMap { bytes(number, bytes(1, Array($0.key.utf8)) + bytes(2, Array($0.value.utf8))) }
  }

  private static func varint(_ value: Int) -> [UInt8] {
    var rest = UInt(value)
    var out: [UInt8] = []
    while rest > 0x7f {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return out + [UInt8(rest)]
  }
}
