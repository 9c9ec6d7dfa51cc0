import PluginsManager

/// Writes a registration as the file that would be read as it, warnings included.
enum RegistrationText {
  static func json(_ registration: Registration) -> String {
    var members = [
      member("remote-endpoint", quoted(registration.endpoint)),
      member("failure-policy", quoted(registration.failurePolicy.rawValue)),
      member("timeout", quoted(milliseconds(registration.timeout))),
    ]
    var hooks = registration.hookPoints.map(\.rawValue)
    var unknownKeys: [String] = []
    for warning in registration.warnings {
      switch warning {
      case .unknownKeys(let keys): unknownKeys = keys.map(\.text)
      case .unknownHooks(let names): hooks += names.map(\.text)
      case .hookNeverCalled(let name): hooks.append(name.text)
      case .repeatedKeys, .neverAsked: break
      }
    }
    members.append(member("runtime-hooks", "[" + hooks.map(quoted).joined(separator: ",") + "]"))
    if let uid = registration.uid { members.append(member("uid", String(uid))) }
    members += unknownKeys.map { member($0, "0") }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// What it says, wherever in its file it says so and however often.
  static func meaning(_ registration: Registration) -> Registration {
    var meaning = registration
    meaning.warnings = registration.warnings.compactMap { warning in
      switch warning {
      case .unknownKeys(let keys): .unknownKeys(keys.map { Placed($0.text, line: 1) })
      case .unknownHooks(let names): .unknownHooks(names.map { Placed($0.text, line: 1) })
      case .hookNeverCalled(let name): .hookNeverCalled(Placed(name.text, line: 1))
      case .repeatedKeys: nil
      case .neverAsked: .neverAsked
      }
    }
    return meaning
  }

  private static func member(_ key: String, _ value: String) -> String { quoted(key) + ":" + value }

  /// Nanoseconds are what is kept.
  private static func milliseconds(_ timeout: Duration) -> String {
    let (seconds, attoseconds) = timeout.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    let fraction = String(nanoseconds % 1_000_000 + 1_000_000).dropFirst()
    return "\(nanoseconds / 1_000_000).\(fraction)ms"
  }

  private static func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": json += "\\\(scalar)"
      case "\0"..<" ":
        let hex = String(scalar.value, radix: 16)
        json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}
