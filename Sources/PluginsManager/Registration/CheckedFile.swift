/// A registration file, or the directory of them, as somebody who wants to mend it needs to see it.
package struct CheckedFile: Sendable {
  package let path: String
  /// In the order of the lines.
  package let findings: [RegistrationFinding]
  /// What the file registers; `nil` if it is refused, and for the directory itself.
  package let plugin: Plugin?

  init(path: String, findings: [RegistrationFinding], plugin: Plugin? = nil) {
    self.path = path
    self.findings = findings
    self.plugin = plugin
  }

  package var hasErrors: Bool { findings.contains { $0.severity == .error } }
}

/// Looks at registrations as the daemon does, without one.
///
/// All of it is blocking disk I/O: never to be called on an event loop.
package enum RegistrationCheck {
  /// Every registration file of a directory, in the order in which plugins are asked. If the daemon would read
  /// nothing because of the directory itself, that is all there is to see.
  ///
  /// - Parameter daemonUID: whose files are trusted besides root's.
  /// - Returns: `nil` if there is no such directory.
  package static func directory(_ path: String, daemonUID: UInt32) -> [CheckedFile]? {
    switch RegistrationDirectory(path: path, daemonUID: daemonUID).scan() {
    case .absent: nil
    case .refused(let error): [CheckedFile(path: path, findings: [error.finding])]
    case .files(let files):
      files.sorted { String.inByteOrder($0.name, $1.name) }.map { check($0.path, $0.name, $0.content) }
    }
  }

  /// One file, wherever it is.
  ///
  /// - Returns: `nil` if there is no such file.
  package static func file(_ path: String, daemonUID: UInt32) -> CheckedFile? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let content: Result<[UInt8], RegistrationError>
    do throws(RegistrationError) {
      guard let bytes = try TrustedFile.read(path, limitBytes: Registration.limitBytes, daemonUID: daemonUID) else {
        return nil
      }
      content = .success(bytes)
    } catch {
      content = .failure(error)
    }
    return check(path, name, content)
  }

  private static func check(
    _ path: String, _ name: String, _ content: Result<[UInt8], RegistrationError>
  ) -> CheckedFile {
    switch content {
    case .failure(let error): return CheckedFile(path: path, findings: [error.finding])
    case .success(let bytes):
      let examination = Registration.examine(bytes, file: path)
      var findings = examination.findings
      if !FileName(bytes: name.utf8).isRegistration {
        findings.insert(RegistrationFinding(.warning, problem: "is ignored under this name; NAME.json is meant"), at: 0)
      }
      let plugin = examination.registration?.plugin(name: pluginName(name), version: 0)
      return CheckedFile(path: path, findings: findings, plugin: plugin)
    }
  }

  private static func pluginName(_ file: String) -> String {
    file.hasSuffix(".json") ? String(file.dropLast(".json".count)) : file
  }
}
