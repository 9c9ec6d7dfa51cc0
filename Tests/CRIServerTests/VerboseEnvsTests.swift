import Testing

@testable import CRIServer

/// The environment in a verbose status, as it is or in base64.
@Suite struct VerboseEnvsTests {
  @Test func valuesAreAsWrittenIfTheProcessHasThemSo() {
    let envs = VerboseEnvs([("A", "YWJj"), ("B", "x")], processEnv: ["PATH=/bin", "A=YWJj", "B=x"])
    #expect(envs.visible == ["A": "YWJj", "B": "x"])
  }

  @Test func valuesAreBase64IfTheProcessHasThemDecoded() {
    let envs = VerboseEnvs([("A", "YWJj"), ("B", ""), ("C", "YT1i")], processEnv: ["A=abc", "B=", "C=a=b"])
    #expect(envs.visible == ["A": "abc", "B": "", "C": "a=b"])
  }

  @Test func oneValueAsWrittenMeansThatNoneIsBase64() {
    let envs = VerboseEnvs([("A", "YWJj"), ("B", "plain")], processEnv: ["A=abc", "B=plain"])
    #expect(envs.visible == ["A": "YWJj", "B": "plain"])
  }

  @Test func withoutTheProcessValuesAreAsWritten() {
    #expect(VerboseEnvs([("A", "YWJj")], processEnv: nil).visible == ["A": "YWJj"])
  }

  @Test func theLastEntryOfAKeyCounts() {
    #expect(VerboseEnvs([("A", "1"), ("A", "2")], processEnv: ["A=1", "A=2"]).visible == ["A": "2"])
  }

  @Test func aValueThatIsNotTextIsHidden() {
    let plain = VerboseEnvs([("A", "\u{FFFD}x"), ("B", "b")], processEnv: ["A=\u{FFFD}x", "B=b"])
    #expect(plain.visible == ["B": "b"])
    let base64 = VerboseEnvs([("A", "//54"), ("B", "YWJj")], processEnv: ["A=\u{FFFD}\u{FFFD}x", "B=abc"])
    #expect(base64.visible == ["B": "abc"])
  }

  @Test func soIsOneThatTheProcessHasAnotherValueFor() {
    let envs = VerboseEnvs([("A", "\u{FFFD}x"), ("B", "b")], processEnv: ["A=set by a device", "B=b"])
    #expect(envs.visible == ["B": "b"])
  }
}
