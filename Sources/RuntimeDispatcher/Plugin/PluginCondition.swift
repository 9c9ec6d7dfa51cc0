/// How a plugin stands with the dispatcher, for people.
package struct PluginCondition: Sendable, Hashable {
  /// Its breaker is open: it is not asked, or one call at a time.
  package var isTripped: Bool
  /// How long ago its breaker opened, if it did so in this process.
  package var trippedFor: Duration?
  /// There is a file at its socket's path.
  package var hasSocket: Bool
}
