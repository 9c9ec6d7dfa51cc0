/// The last event of a reader that was too slow.
package struct MissedDocument: Codable, Sendable, Hashable {
  package static let eventName = "missed"

  /// How many events it did not get.
  package var missed: Int
}
