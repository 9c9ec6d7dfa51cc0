import PluginsManager

/// A plugin's registration file: any bytes give a registration, or an error that says where and can be shown. What is
/// accepted is the same registration when it is written again.
package enum RegistrationTarget: FuzzTarget {
  package static let name = "registration"

  private static let file = "/etc/runtime/hookserver.d/p.json"

  package static func check(_ bytes: [UInt8]) throws {
    let registration: Registration
    do throws(RegistrationError) {
      registration = try Registration(decoding: bytes, file: file)
    } catch {
      return try checkText(error.description, startsWith: file + ":")
    }
    try expect(registration.endpoint.utf8.first == UInt8(ascii: "/"), "\(registration.endpoint) is accepted")
    try expect(registration.endpoint.utf8.count <= Registration.endpointLimitBytes, "an endpoint that is too long")
    let timeout = registration.timeout
    try expect(timeout >= .milliseconds(1) && timeout <= .seconds(60), "\(timeout) is accepted")
    let findings = Registration.examine(bytes, file: file).findings
    try expect(findings.allSatisfy { $0.severity == .warning && $0.line != 0 }, "\(findings) of what is accepted")
    for warning in registration.warnings { try checkText(warning.description, startsWith: "") }

    let text = RegistrationText.json(registration)
    let again: Registration
    do throws(RegistrationError) {
      again = try Registration(decoding: Array(text.utf8), file: file)
    } catch {
      throw PropertyFailure(description: "written again as \(text): \(error)")
    }
    try expect(
      RegistrationText.meaning(again) == RegistrationText.meaning(registration),
      "\(registration), written again as \(text), is \(again)")
  }

  /// A text for one line of a log.
  private static func checkText(_ text: String, startsWith place: String) throws {
    try expect(text.hasPrefix(place), "an error without its place: \(text)")
    try expect(text.utf8.count <= 16 << 10, "a text of \(text.utf8.count) bytes")
    try expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "control characters: \(text.debugDescription)")
  }
}
