/// A change that a plugin made: the field is the plugin's for the rest of the call.
package struct FieldChange: Sendable, Hashable {
  package let field: ChangedField
  /// nil if there was none.
  package let before: ShownValue?
  package let after: ShownValue

  /// - Parameters:
  ///   - before: nil if there was no value. Whether it and `after` may be told is decided here.
  package init(_ field: ChangedField, before: ShownValue?, after: ShownValue) {
    let isSecret = field.isSecret
    self.field = field
    self.before = isSecret ? before.map { _ in .secret } : before
    self.after = isSecret ? .secret : after
  }

  /// For people: the new value; of a secret one only what was done, `(set)` or `(changed)`.
  package var afterText: String {
    guard after == .secret else { return after.description }
    return before == nil ? "(set)" : "(changed)"
  }

  /// For people: the old value; nil if there was none or it is secret.
  package var beforeText: String? { before == .secret ? nil : before?.description }
}
