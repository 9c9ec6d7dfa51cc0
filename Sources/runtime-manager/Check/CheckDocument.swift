internal import PluginsManager

/// What `check` found, for printing.
struct CheckDocument: Encodable {
  struct File: Encodable {
    let path: String
    let findings: [Finding]
  }

  struct Finding: Encodable {
    let severity: String
    let line: Int?
    let key: String?
    let problem: String
  }

  let files: [File]
  let errors: Int
  let warnings: Int

  /// - Parameter dialled: those that were dialled.
  init(_ files: [CheckedFile], dialled: [Plugin: PluginDial.Outcome]) {
    self.files = files.map { file in
      var findings = file.findings
      if let plugin = file.plugin, let problem = dialled[plugin]?.problem(of: plugin) {
        findings.append(RegistrationFinding(.error, key: "remote-endpoint", problem: problem))
      }
      return File(
        path: file.path,
        findings: findings.map {
          Finding(severity: $0.severity.rawValue, line: $0.line, key: $0.key, problem: $0.problem)
        })
    }
    let severities = self.files.flatMap(\.findings).map(\.severity)
    errors = severities.count { $0 == RegistrationFinding.Severity.error.rawValue }
    warnings = severities.count - errors
  }

  /// As compilers write it, `file:line: severity: key: problem`, which editors and CI know; then a line that sums up.
  func lines(for terminal: Terminal) -> [String] {
    let found = files.flatMap { file in
      file.findings.flatMap { finding -> [String] in
        let isError = finding.severity == RegistrationFinding.Severity.error.rawValue
        let place = "\(file.path)\(finding.line.map { ":\($0)" } ?? "")"
        let text = "\(place): \(finding.severity): \(finding.key.map { "\($0): " } ?? "")\(finding.problem)"
        return LogStream.escaped(text[...]).wrapped(to: terminal.width ?? .max, indent: 2)
          .map { terminal.styled($0, isError ? .bad : .warning) }
      }
    }
    let sum = "\(count(files.count, "file")), \(count(errors, "error")), \(count(warnings, "warning"))"
    return found + sum.wrapped(to: terminal.width ?? .max)
  }

  private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
