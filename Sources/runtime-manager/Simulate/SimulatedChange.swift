internal import Accounts
internal import PluginsManager
internal import RuntimeDispatcher

/// What a plugin changed, as far as it may be shown: by the rules of the account of a real call.
struct SimulatedChange: Encodable, Sendable, Hashable {
  let plugin: String
  let field: String
  /// `nil`: there was none, or it may not be shown.
  let before: String?
  let after: String

  init(_ made: OwnedChange, before: FieldValue?) {
    let change = FieldChange(made.change.field.changed, before: before?.shown, after: made.change.value.shown)
    plugin = made.plugin.name
    field = change.field.description
    self.before = change.beforeText
    after = change.afterText
  }
}
