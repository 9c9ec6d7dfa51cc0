/// Takes an input apart. Every input is valid: what is missing at the end is zero or empty.
struct ByteReader {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// As many bytes as the next byte says.
  mutating func shortBytes() -> [UInt8] { bytes(Int(byte())) }

  /// As many bytes as the next two bytes say, most significant first.
  mutating func longBytes() -> [UInt8] {
    let high = Int(byte())
    return bytes(high << 8 | Int(byte()))
  }

  mutating func integer() -> UInt64 { (0..<8).reduce(0) { number, _ in number << 8 | UInt64(byte()) } }

  /// What is no UTF-8 in the bytes is repaired.
  mutating func text() -> String { String(decoding: shortBytes(), as: UTF8.self) }

  mutating func remaining() -> [UInt8] { bytes(rest.count) }
}
