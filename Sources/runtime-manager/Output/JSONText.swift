internal import FoundationEssentials

/// A document as text for programs.
enum JSONText {
  /// Indented, keys sorted, slashes as they are: two runs over the same state give the same bytes.
  static func of(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
