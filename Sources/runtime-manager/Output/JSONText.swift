internal import FoundationEssentials

/// A document as text for programs.
enum JSONText {
  /// Indented, keys sorted, slashes as they are: two runs over the same state give the same bytes.
  static func of(_ document: some Encodable) throws -> String { try text(document, [.prettyPrinted]) }

  /// On one line, for documents that come one after the other.
  static func line(of document: some Encodable) throws -> String { try text(document, []) }

  private static func text(_ document: some Encodable, _ format: JSONEncoder.OutputFormatting) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = format.union([.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
