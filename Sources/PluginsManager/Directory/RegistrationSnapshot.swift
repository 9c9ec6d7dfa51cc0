/// All that is known about registrations at one moment.
package struct RegistrationSnapshot: Sendable {
  package let registry: Registry
  /// One for each registration file, in byte order of the names.
  package let files: [FileState]
  package let directory: DirectoryCondition

  static let empty = RegistrationSnapshot(registry: .empty, files: [], directory: .readable)
}
