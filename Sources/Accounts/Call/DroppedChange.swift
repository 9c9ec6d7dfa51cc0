/// A change that a plugin wanted and did not get.
package struct DroppedChange: Sendable, Hashable {
  package enum Reason: Sendable, Hashable {
    /// The text is one of README.md's "Forbidden".
    case forbidden(String)
    /// The field belongs to the plugin `owner`, which wants another value.
    case conflict(owner: String)
  }

  package let field: ChangedField
  package let wanted: ShownValue
  package let reason: Reason

  package init(_ field: ChangedField, wanted: ShownValue, _ reason: Reason) {
    self.field = field
    self.wanted = field.isSecret ? .secret : wanted
    self.reason = reason
  }
}
