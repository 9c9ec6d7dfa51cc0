/// What the daemon tells whoever follows it.
package enum AdminEvent: Sendable, Hashable {
  /// A hooked call is over.
  case call(CallDocument)
  /// The last one: so many further ones were not taken in time.
  case missed(Int)
}
