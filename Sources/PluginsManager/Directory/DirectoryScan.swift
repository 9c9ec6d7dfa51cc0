/// What one look at the directory found.
enum DirectoryScan: Sendable {
  /// There is no such directory: as if it were empty.
  case absent
  /// The directory itself may not be trusted or cannot be read; nothing in it was looked at.
  case refused(RegistrationError)
  /// At most one a name, in no order.
  case files([ScannedFile])
}
