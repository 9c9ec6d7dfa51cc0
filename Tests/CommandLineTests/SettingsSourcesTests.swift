import ArgumentParser
import Foundation
import Logging
import Testing

@testable import runtime_manager

/// Which source counts.
@Suite struct SettingsSourcesTests {
  private func origin(of key: String, in sources: SettingsSources) throws -> SettingOrigin {
    sources.origins[try #require(Settings.names.firstIndex { $0.key == key })]
  }

  private func withFile(_ yaml: String, _ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "settings-\(UUID().uuidString).yaml"
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func theCommandLineWinsOverTheEnvironmentThatOverTheFile() throws {
    try withFile("log-level: error\nhook-dir: /file\nlisten: /file.sock\n") { path in
      let sources = try SettingsSources(
        arguments: ["--config", path, "--log-level", "trace", "--output", "json"], configuration: path
      ) { ["RUNTIME_MANAGER_LOG_LEVEL": "debug", "RUNTIME_MANAGER_HOOK_DIR": "/environment"][$0] }
      #expect(sources.settings.logLevel == .trace)
      #expect(sources.settings.hookDir.path == "/environment")
      #expect(sources.settings.listen.path == "/file.sock")
      #expect(try origin(of: "log-level", in: sources) == .flag)
      #expect(try origin(of: "hook-dir", in: sources) == .environment(variable: "RUNTIME_MANAGER_HOOK_DIR"))
      #expect(try origin(of: "listen", in: sources) == .file(path: path, line: 3))
      #expect(try origin(of: "skip-label", in: sources) == .default)
      #expect(sources.file == path)
    }
  }

  @Test func theFileMayBeNamedByTheEnvironment() throws {
    try withFile("log-format: json") { path in
      let sources = try SettingsSources { $0 == "RUNTIME_MANAGER_CONFIG" ? path : nil }
      #expect(sources.settings.logFormat == .json)
    }
  }

  @Test(arguments: [("true", true), ("false", false)])
  func aSwitchMayBeSaidEitherWay(value: String, allows: Bool) throws {
    try withFile("allow-core-dumps: true") { path in
      let sources = try SettingsSources(configuration: path) { $0 == "RUNTIME_MANAGER_ALLOW_CORE_DUMPS" ? value : nil }
      #expect(sources.settings.allowCoreDumps == allows)
    }
  }

  @Test func aFileThatIsNamedMustBeThere() {
    let failure = #expect(throws: CommandFailure.self) {
      try SettingsSources(configuration: "/nowhere/c.yaml") { _ in nil }
    }
    #expect(failure?.message == "/nowhere/c.yaml: there is no such file")
    #expect(failure?.code == .configuration)
  }

  @Test func aWrongVariableIsNamed() throws {
    try withFile("") { path in
      let failure = #expect(throws: CommandFailure.self) {
        try SettingsSources(configuration: path) { $0 == "RUNTIME_MANAGER_HOOK_DIR" ? "here" : nil }
      }
      #expect(failure?.message == "RUNTIME_MANAGER_HOOK_DIR: The value 'here' is invalid")
      #expect(failure?.code == .configuration)
    }
  }

  @Test func whatIsWrongInTheFileIsToldAlsoWhereAFlagWins() throws {
    try withFile("log-level: loud") { path in
      #expect(throws: CommandFailure.self) {
        try SettingsSources(arguments: ["--log-level=info"], configuration: path) { _ in nil }
      }
    }
  }

  @Test func oneSocketCannotBeBothEnds() throws {
    try withFile("runtime-endpoint: /a.sock") { path in
      #expect(throws: ValidationError.self) {
        try SettingsSources(arguments: ["--listen", "/a.sock"], configuration: path) { _ in nil }
      }
    }
  }

  @Test func ofAFlagThatIsThereTwiceTheLastCounts() throws {
    try withFile("") { path in
      let sources = try SettingsSources(
        arguments: ["--hook-dir=/a", "--hook-dir", "/b"], configuration: path
      ) { _ in nil }
      #expect(sources.settings.hookDir.path == "/b")
    }
  }
}
