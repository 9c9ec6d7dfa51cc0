/// A protobuf message put together by hand, field by field, and taken apart again without a schema (Protocol Buffers
/// documentation, "Encoding"): what the generated messages are tested against. Groups are not read.
package struct WireMessage: Hashable {
  package enum Value: Hashable {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes([UInt8])
    case fixed32(UInt32)
  }

  package struct Field: Hashable {
    package var number: UInt64
    package var value: Value

    package init(number: UInt64, value: Value) {
      self.number = number
      self.value = value
    }
  }

  package struct Malformed: Error {}

  package var fields: [Field]

  package init(_ fields: [Field]) { self.fields = fields }

  // MARK: Writing

  package var bytes: [UInt8] { fields.flatMap { Self.encode($0) } }

  private static func encode(_ field: Field) -> [UInt8] {
    switch field.value {
    case .varint(let number): varint(field.number << 3) + varint(number)
    case .fixed64(let number):
      varint(field.number << 3 | 1) + (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    case .bytes(let bytes): varint(field.number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    case .fixed32(let number):
      varint(field.number << 3 | 5) + (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
  }

  private static func varint(_ number: UInt64) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    while rest > 0x7f {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  // MARK: Reading

  package init(bytes: [UInt8]) throws {
    fields = []
    var rest = bytes[...]
    while !rest.isEmpty { fields.append(try Self.readField(&rest)) }
  }

  /// Where the fields of the message end: cut anywhere else, it is none.
  package static func fieldEnds(in bytes: [UInt8]) throws -> Set<Int> {
    var ends: Set<Int> = []
    var rest = bytes[...]
    while !rest.isEmpty {
      _ = try readField(&rest)
      ends.insert(rest.startIndex)
    }
    return ends
  }

  /// The fields of the message, each with the bytes that it has there.
  package static func split(_ bytes: [UInt8]) throws -> [(field: Field, bytes: [UInt8])] {
    var fields: [(field: Field, bytes: [UInt8])] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let start = rest.startIndex
      let field = try readField(&rest)
      fields.append((field, Array(bytes[start..<rest.startIndex])))
    }
    return fields
  }

  private static func readField(_ rest: inout ArraySlice<UInt8>) throws -> Field {
    let tag = try readVarint(&rest)
    return Field(number: tag >> 3, value: try readValue(wireType: tag & 7, &rest))
  }

  private static func readValue(wireType: UInt64, _ rest: inout ArraySlice<UInt8>) throws -> Value {
    switch wireType {
    case 0: return .varint(try readVarint(&rest))
    case 1: return .fixed64(try readFixed(8, &rest))
    case 2:
      guard let count = Int(exactly: try readVarint(&rest)) else { throw Malformed() }
      return .bytes(try take(count, &rest))
    case 5: return .fixed32(UInt32(try readFixed(4, &rest)))
    default: throw Malformed()
    }
  }

  private static func readVarint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw Malformed() }
      number |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return number }
    }
    throw Malformed()
  }

  private static func readFixed(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
    try take(count, &rest).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func take(_ count: Int, _ rest: inout ArraySlice<UInt8>) throws -> [UInt8] {
    guard rest.count >= count else { throw Malformed() }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// The submessages in the fields with this number.
  package func messages(_ number: UInt64) throws -> [WireMessage] {
    try fields.filter { $0.number == number }.map { field in
      guard case .bytes(let bytes) = field.value else { throw Malformed() }
      return try WireMessage(bytes: bytes)
    }
  }
}

extension WireMessage.Field {
  package static func text(_ number: UInt64, _ text: String) -> Self {
    Self(number: number, value: .bytes(Array(text.utf8)))
  }
  package static func varint(_ number: UInt64, _ value: UInt64) -> Self { Self(number: number, value: .varint(value)) }
  package static func message(_ number: UInt64, _ fields: [Self]) -> Self {
    Self(number: number, value: .bytes(WireMessage(fields).bytes))
  }
  /// An entry of a map from strings to strings.
  package static func entry(_ number: UInt64, _ key: String, _ value: String) -> Self {
    message(number, [text(1, key), text(2, value)])
  }
}
