internal import FoundationEssentials
package import NIOHTTP1

/// A complete answer.
package struct AdminResponse: Sendable {
  package var status = HTTPResponseStatus.ok
  package var headers: [(name: String, value: String)] = []
  package var contentType: String
  package var content: [UInt8]

  /// Text for people, or for Prometheus.
  package static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> AdminResponse {
    AdminResponse(contentType: type, content: Array(text.utf8))
  }

  package static func document(_ document: some Encodable) -> AdminResponse {
    // Documents are structs of strings, numbers and lists of such, which always can be encoded.
    let content = (try? encoder.encode(document)).map(Array.init) ?? []
    return AdminResponse(contentType: "application/json", content: content + [UInt8(ascii: "\n")])
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
