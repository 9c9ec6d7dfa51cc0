import ArgumentParser
import Testing

@testable import runtime_manager

@Suite struct SettingsTests {
  /// A file in memory.
  private func entries(_ yaml: String) throws(CommandFailure) -> [String: ConfigurationFile.Entry] {
    try ConfigurationFile(path: "c.yaml", content: Array(yaml.utf8), names: Settings.names).entries
  }

  @Test func eachRowIsAFlagAKeyAndAVariable() throws {
    let hookDir = try #require(Settings.names.first { $0.key == "hook-dir" })
    #expect(hookDir.flag == "--hook-dir")
    #expect(hookDir.variable == "RUNTIME_MANAGER_HOOK_DIR")
    #expect(Settings.names.first { $0.key == "never-fail-namespaces" }?.isList == true)
    #expect(Settings.names.first { $0.key == "allow-core-dumps" }?.isSwitch == true)
    #expect(Set(Settings.names).count == Settings.names.count)
  }

  @Test func everyDefaultIsAValueThatCouldBeGiven() throws {
    let values = try Settings.parse([]).values
    #expect(values.count == Settings.names.count)
    for (name, value) in zip(Settings.names, values) {
      guard let value else { continue }
      #expect(Settings.problem(with: value, of: name) == nil, "\(name.key)")
    }
  }

  @Test func theNamesOfTheConfigurationFileAreNotTakenTwice() {
    #expect(!Settings.names.contains { $0.key == "config" || $0.key == "flags" || $0.key == "output" })
  }

  @Test func aFileSaysWhatTheCommandLineWouldSay() throws {
    let entries = try entries(
      """
      # comment
      listen: unix:///run/a.sock
      never-fail-namespaces: [kube-system, storage]
      allow-core-dumps: true
      "log-level": 'debug'
      """)
    #expect(entries["listen"]?.value == "unix:///run/a.sock")
    #expect(entries["listen"]?.line == 2)
    #expect(entries["never-fail-namespaces"]?.value == "kube-system,storage")
    #expect(entries["allow-core-dumps"]?.value == "true")
    #expect(entries["log-level"]?.value == "debug")
  }

  @Test(arguments: ["", "# nothing\n", "---\n...\n", "{}"])
  func aFileWithoutSettingsIsFine(yaml: String) throws {
    #expect(try entries(yaml).isEmpty)
  }

  @Test(arguments: [
    ("listen: /a\nhookdir: /b", #"c.yaml:2: "hookdir": there is no such setting; did you mean hook-dir?"#),
    ("\nfrequency: 5", #"c.yaml:2: "frequency": there is no such setting"#),
    ("hook-dir: relative", "c.yaml:1: hook-dir: The value 'relative' is invalid"),
    ("listen: [/a, /b]", "c.yaml:1: listen: one value is meant"),
    ("log-level:\n  a: b", "c.yaml:2: log-level: one value is meant"),
    ("log-level: loud", "c.yaml:1: log-level: The value 'loud' is invalid"),
    ("listen:", "c.yaml:1: listen: has no value"), ("listen: ~", "c.yaml:1: listen: has no value"),
    ("allow-core-dumps: yes", "c.yaml:1: allow-core-dumps: true or false is meant"),
    ("allow-core-dumps: \"true\"", "c.yaml:1: allow-core-dumps: true or false is meant"),
    ("never-fail-namespaces: [a, [b]]", "c.yaml:1: never-fail-namespaces: a list of names is meant"),
    ("never-fail-namespaces: [\"a,b\"]", "c.yaml:1: never-fail-namespaces: a list of names is meant"),
    ("never-fail-namespaces: {a: b}", "c.yaml:1: never-fail-namespaces: a list of names is meant"),
    ("never-fail-namespaces: A_B", "c.yaml:1: never-fail-namespaces: The value 'A_B' is invalid"),
    ("log-level: info\nlog-level: debug", "c.yaml:2: log-level: is in line 1 already"),
    ("- listen", #"c.yaml:1: is no mapping; lines such as "log-level: info" are meant"#),
    ("listen", #"c.yaml:1: is no mapping; lines such as "log-level: info" are meant"#),
    ("listen: /a\n---\nlisten: /b", "c.yaml:3: a second document; one is meant"),
    ("listen: /a\n  b: c", "c.yaml:2: is not YAML: mapping values are not allowed in this context"),
    ("listen: \"/a", "c.yaml:1: is not YAML: found unexpected end of stream while scanning a quoted scalar"),
    ("[a]: b", "c.yaml:1: a setting's name is meant"),
  ])
  func whatIsWrongIsOneLineWithFileLineAndKey(yaml: String, message: String) {
    let failure = #expect(throws: CommandFailure.self) { try entries(yaml) }
    #expect(failure?.message.hasPrefix(message) == true, "\(failure?.message ?? "")")
    #expect(failure?.message.contains("\n") == false)
    #expect(failure?.message.contains("--") == false)
    #expect(failure?.code == .configuration)
  }

  @Test func aProblemOfAValueSaysWhatIsMeant() throws {
    let listen = try #require(Settings.names.first { $0.key == "listen" })
    #expect(
      Settings.problem(with: "rel", of: listen)
        == "The value 'rel' is invalid: must be an absolute path, or unix:// and one")
  }
}
