/// A text of a registration file, and where it stands.
package struct Placed: Sendable, Hashable {
  package let text: String
  /// Counts from 1.
  package let line: Int

  package init(_ text: String, line: Int) {
    self.text = text
    self.line = line
  }
}
