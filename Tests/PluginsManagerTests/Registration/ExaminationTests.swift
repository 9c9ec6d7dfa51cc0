import Testing

@testable import PluginsManager

/// What is told to whoever wrote a file: each thing, where it stands, and what is meant.
@Suite struct ExaminationTests {
  private func findings(_ text: String) -> [String] {
    Registration.examine(Array(text.utf8), file: "f.json").findings.map { finding in
      "\(finding.severity) \(finding.line ?? 0) \(finding.key ?? "-"): \(finding.problem)"
    }
  }

  @Test func everyErrorOfAFileIsToldWithItsLineAndKey() {
    let text = """
      {
        "remote-endpoint": "run/a.sock",
        "failure-policy": "fail",
        "timeout":
          "2 s",
        "uid": "root",
        "runtime-hooks": "PreRunPodSandbox"
      }
      """
    #expect(
      findings(text).map { $0.split(separator: ": ")[0] } == [
        "error 2 remote-endpoint", "error 3 failure-policy", "error 5 timeout", "error 6 uid", "error 7 runtime-hooks",
      ])
    #expect(findings(text)[1] == #"error 3 failure-policy: "fail" is unknown; "Fail" or "Ignore" is meant"#)
  }

  @Test func everyWarningIsToldWithItsLineAndWhatMayBeMeant() {
    let text = """
      {
        "remote-endpoint": "/a",
        "time-out": "1s",
        "runtime-hooks": [
          "PreStartContainer", "PreRunPodSandBoxes",
          "Fly"
        ],
        "remote-endpoint": "/b"
      }
      """
    #expect(
      findings(text) == [
        "warning 3 time-out: unknown key; did you mean timeout?",
        #"warning 5 runtime-hooks: "PreRunPodSandBoxes" is no hook point; did you mean PreRunPodSandbox?"#,
        #"warning 6 runtime-hooks: "Fly" is no hook point"#,
        "warning 8 remote-endpoint: is there before; its first value counts",
      ])
  }

  @Test func aKeyWrittenWithEscapesIsTheSameKey() {
    #expect(findings("{\"remote-endpoint\":\"/a\",\n\"\\u0075id\":\"x\"}").contains { $0.hasPrefix("error 2 uid: ") })
  }

  @Test func whatIsDeepInsideIsNoMemberOfTheFile() {
    let map = JSONMap(Array("{\"a\":{\"uid\":1},\n\"b\":[{\"uid\":2},\n3]}".utf8))
    #expect(map.members.map(\.key) == ["a", "b"])
    #expect(map.member("b")?.itemLines == [2, 3])
    #expect(map.fault == nil)
  }

  @Test func theLogHasOneLineForAllOfIt() throws {
    let registration = try decode(#"{"remote-endpoint":"/a","hooks":[],"runtime-hooks":["PreRunPodSandbx"]}"#)
    #expect(
      registration.warnings.map(\.description).prefix(2) == [
        #"unknown keys: "hooks" (line 1)"#,
        #"runtime-hooks: unknown: "PreRunPodSandbx" (line 1; did you mean PreRunPodSandbox?); known are "#
          + HookPoint.allCases.map(\.rawValue).joined(separator: ", "),
      ])
  }
}
