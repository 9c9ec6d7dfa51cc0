/// One thing that is wrong or odd about a registration file or its directory, for whoever mends it.
package struct RegistrationFinding: Sendable, Hashable {
  package enum Severity: String, Sendable {
    /// The file is not used.
    case error
    case warning
  }

  package let severity: Severity
  /// Counts from 1; `nil` if it is about the file as a whole.
  package let line: Int?
  package let key: String?
  /// What is wrong, and what is meant instead.
  package let problem: String

  /// With the key.
  package var text: String { key.map { "\($0): \(problem)" } ?? problem }

  package init(_ severity: Severity, line: Int? = nil, key: String? = nil, problem: String) {
    self.severity = severity
    self.line = line
    self.key = key
    self.problem = problem
  }
}

extension RegistrationError {
  package var finding: RegistrationFinding {
    RegistrationFinding(.error, line: line, key: key, problem: problem)
  }
}

extension RegistrationWarning {
  /// One for each place; there may be as many as the file has members.
  package var findings: [RegistrationFinding] {
    func finding(_ placed: Placed, key: String, _ problem: String) -> RegistrationFinding {
      RegistrationFinding(.warning, line: placed.line, key: key, problem: problem)
    }
    func meant(_ placed: Placed, of words: [String]) -> String {
      Spelling.nearest(to: placed.text, of: words).map { "; did you mean \($0)?" } ?? ""
    }
    return switch self {
    case .unknownKeys(let keys):
      keys.map { finding($0, key: $0.text.shown, "unknown key\(meant($0, of: RegistrationFile.keys))") }
    case .repeatedKeys(let keys):
      keys.map { finding($0, key: $0.text.shown, "is there before; its first value counts") }
    case .unknownHooks(let names):
      names.map {
        finding($0, key: "runtime-hooks", "\($0.text.quoted) is no hook point\(meant($0, of: HookPoint.names))")
      }
    case .hookNeverCalled(let name):
      [finding(name, key: "runtime-hooks", "\(name.text) is never called, the protocol has no such method")]
    case .neverAsked:
      [RegistrationFinding(.warning, key: "runtime-hooks", problem: "names no hook point, the plugin is never asked")]
    }
  }
}
