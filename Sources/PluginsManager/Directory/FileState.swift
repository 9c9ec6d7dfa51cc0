package import FoundationEssentials

/// How a registration file stands, for people.
package struct FileState: Sendable, Hashable {
  package enum Condition: Sendable, Hashable {
    /// In force.
    case good
    /// Broken now; its last good version is in force.
    case lastGoodKept(RegistrationError)
    /// Never good since it appeared or since start; registers nothing.
    case rejected(RegistrationError)
  }

  /// With `.json`.
  package let name: String
  package let condition: Condition
  /// Of the version in force.
  package let warnings: [RegistrationWarning]
  /// When it came to stand so, or its content last changed.
  package let since: Date

  /// The name of the plugin that it is to register.
  package var plugin: String { String(name.dropLast(".json".count)) }
}
