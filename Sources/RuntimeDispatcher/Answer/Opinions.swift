/// What a plugin's answer says, equal to what it was sent or not.
struct Opinions: Sendable, Equatable {
  var changes: [Change] = []
  /// The answer has resources, be they empty.
  var hasResources = false
}
