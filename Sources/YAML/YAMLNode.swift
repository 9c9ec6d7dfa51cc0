/// A part of a YAML document, and where it begins.
///
/// Types are left to the reader, who knows what is meant: `5` and `"5"` differ in ``isPlain`` only.
package struct YAMLNode: Sendable {
  package enum Value: Sendable {
    /// - Parameter isPlain: written without quotes, so that it may stand for a number, a truth value or null.
    case scalar(String, isPlain: Bool)
    case list([YAMLNode])
    /// In the order of the text; a key may occur twice.
    case mapping([Member])
  }

  package struct Member: Sendable {
    package let key: YAMLNode
    package let value: YAMLNode
  }

  package let value: Value
  /// Counts from 1.
  package let line: Int

  package init(_ value: Value, line: Int) {
    self.value = value
    self.line = line
  }

  /// The text of a scalar; `nil` for anything else, null among it.
  package var text: String? {
    guard case .scalar(let text, _) = value, !isNull else { return nil }
    return text
  }

  /// Nothing, `~` or `null` (YAML 1.2, section 10.2.1.1).
  package var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = value else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// A truth value (YAML 1.2, section 10.2.1.2): not `yes` or `on`, which YAML 1.1 took for one.
  package var truth: Bool? {
    guard case .scalar(let text, isPlain: true) = value else { return nil }
    return switch text {
    case "true", "True", "TRUE": true
    case "false", "False", "FALSE": false
    default: nil
    }
  }
}
