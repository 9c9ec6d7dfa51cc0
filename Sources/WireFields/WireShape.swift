package import SwiftProtobuf

/// The fields of a message that this project knows, as far as their bytes have to be looked at: what swift-protobuf
/// has in generated code, as a table.
///
/// A field whose type on the wire is another than its kind's is one that is not known, as in swift-protobuf.
package final class WireShape: Sendable {
  package enum Kind: Sendable {
    case unknown
    case number
    case text
    case bytes
    /// A message that is there once.
    case message(WireShape)
    /// A message that is there any number of times: an entry of a map or of a list.
    case messages(WireShape)
  }

  /// Indexed by field number.
  private let kinds: [Kind]
  private let isEntry: Bool

  /// - Parameter fields: By field number, each below 64.
  package convenience init(_ fields: [Int: Kind]) { self.init(fields, isEntry: false) }

  private init(_ fields: [Int: Kind], isEntry: Bool) {
    kinds = (0...(fields.keys.max() ?? 0)).map { fields[$0] ?? .unknown }
    self.isEntry = isEntry
  }

  /// An entry of a map<string, string>.
  package static let entry = WireShape([1: .text, 2: .text], isEntry: true)

  private func kind(of field: WireField) -> Kind {
    guard field.number < kinds.count else { return .unknown }
    let kind = kinds[field.number]
    switch (kind, field.type) {
    case (.number, .varint), (.text, .bytes), (.bytes, .bytes), (.message, .bytes), (.messages, .bytes): return kind
    default: return .unknown
    }
  }

  // MARK: Checking

  /// Whether the bytes are such a message in the plain form that everybody writes: fields to their end, texts that are
  /// UTF-8, and no message twice that is to be there once.
  ///
  /// A message of another form may be a good one, for instance with two halves of one message that are to be merged;
  /// ``plain(_:as:)`` leaves it to swift-protobuf to say so.
  package func admits(_ bytes: [UInt8]) -> Bool { admits(bytes, in: bytes.indices) }

  private func admits(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
    if isEntry, let plain = bytes.plainEntry(in: range) {
      return bytes.isUTF8(in: plain.key) && bytes.isUTF8(in: plain.text)
    }
    var fields = WireFields(bytes, in: range)
    var seen: UInt64 = 0
    while let field = fields.next() {
      switch kind(of: field) {
      case .unknown, .number, .bytes: break
      case .text: guard bytes.isUTF8(in: field.content) else { return false }
      case .messages(let shape): guard shape.admits(bytes, in: field.content) else { return false }
      case .message(let shape):
        let bit: UInt64 = 1 << UInt64(field.number)
        guard seen & bit == 0, shape.admits(bytes, in: field.content) else { return false }
        seen |= bit
      }
    }
    return fields.isAtEnd
  }

  /// The bytes of a message in its plain form: as they are, or decoded and encoded anew.
  ///
  /// - Throws: What swift-protobuf says of bytes that are no such message.
  package func plain<Message: SwiftProtobuf.Message>(_ bytes: [UInt8], as _: Message.Type) throws -> [UInt8] {
    if admits(bytes) { return bytes }
    let plain: [UInt8] = try Message(serializedBytes: bytes).serializedBytes()
    // What it keeps as unknown may nest deeper than is followed here.
    guard admits(plain) else { throw BinaryDecodingError.messageDepthLimit }
    return plain
  }

  // MARK: Taking over

  /// Whether every field of the message is known, down to the last.
  private func knowsAll(_ bytes: [UInt8], in range: Range<Int>) -> Bool {
    if isEntry, bytes.plainEntry(in: range) != nil { return true }
    for field in WireFields(bytes, in: range) {
      switch kind(of: field) {
      case .unknown: return false
      case .number, .text, .bytes: break
      case .message(let shape), .messages(let shape):
        guard shape.knowsAll(bytes, in: field.content) else { return false }
      }
    }
    return true
  }

  /// Appends the message in `range` of `bytes` to another one, under `number` there, without fields that are not known.
  package func append(_ bytes: [UInt8], in range: Range<Int>, to other: inout [UInt8], under number: Int) {
    if knowsAll(bytes, in: range) { return other.append(field: number, bytes[range]) }
    var known: [UInt8] = []
    for field in WireFields(bytes, in: range) {
      switch kind(of: field) {
      case .unknown: break
      case .number, .text, .bytes: known += bytes[field.range]
      case .message(let shape), .messages(let shape):
        shape.append(bytes, in: field.content, to: &known, under: field.number)
      }
    }
    other.append(field: number, known[...])
  }
}
