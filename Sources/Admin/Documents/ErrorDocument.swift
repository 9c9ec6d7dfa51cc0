/// Why a request was not answered with what it asked for.
package struct ErrorDocument: Codable, Sendable, Hashable {
  package var error: String
  /// The ids that were meant, if there are several.
  package var matches: [String]?
}
