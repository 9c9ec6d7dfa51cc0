/// One registration file: its bytes, or why it has none.
struct ScannedFile: Sendable {
  /// With `.json`.
  let name: String
  /// For the texts of errors.
  let path: String
  let content: Result<[UInt8], RegistrationError>
}
