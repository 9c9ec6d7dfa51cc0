/// How the directory of registration files stands, for people.
package enum DirectoryCondition: Sendable, Hashable {
  case readable
  /// Nothing is registered until it appears.
  case absent
  /// Nothing new is read; what was registered before stays.
  case refused(RegistrationError)
}
