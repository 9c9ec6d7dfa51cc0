/// What a reset of a plugin did.
package struct ResetDocument: Codable, Sendable, Hashable {
  package var plugin: String
  /// It was not asked until now.
  package var wasTripped: Bool
}
