/// How the content of a field is laid out (Protocol Buffers documentation, "Encoding").
package enum WireType: UInt8, Sendable {
  case varint = 0
  case fixed64 = 1
  /// A length and as many bytes: a text, bytes, a message.
  case bytes = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}

/// Where one field of an encoded message is in its bytes.
package struct WireField: Sendable, Hashable {
  package let number: Int
  package let type: WireType
  /// The first byte of its tag.
  package let start: Int
  /// What is behind the tag and, of bytes, behind the length; of a group everything up to the end of its end tag.
  package let content: Range<Int>

  /// Tag and all.
  package var range: Range<Int> { start..<content.upperBound }
}
