import Foundation
import Logging
import Testing

@testable import runtime_manager

@Suite struct JSONLogTests {
  private let handler = JSONLogHandler(
    label: "runtime-manager", stream: LogStream(), now: { timespec(tv_sec: 1_700_000_000, tv_nsec: 7_999_999) })

  private func line(_ message: Logger.Message, _ metadata: Logger.Metadata? = nil) -> String {
    handler.line(
      for: LogEvent(
        level: .warning, message: message, metadata: metadata, source: "s", file: "f", function: "f", line: 1))
  }

  @Test func anEventIsOneObjectWithItsKeysInOrder() {
    #expect(
      line("it is so", ["verdict": "refused", "pod": "ns/name"]) == """
        {"time":"2023-11-14T22:13:20.007Z","level":"warning","logger":"runtime-manager","message":"it is so",\
        "metadata":{"pod":"ns/name","verdict":"refused"}}
        """)
  }

  @Test func withoutMetadataThereIsNoKeyOfIt() {
    #expect(line("x").hasSuffix(#""message":"x"}"#))
  }

  @Test(arguments: [
    "\"quoted\" and \\", "line\nof\ttwo\r", "\u{0}\u{1B}[31m", "\u{202E}abc\u{2028}", "\u{E0001}", "漢字 é",
  ])
  func anyTextIsReadBackAsItWasAndIsOneLineWithoutControls(text: String) throws {
    let line = line("\(text)", ["k": .array([.string(text), .dictionary([text: "v"])])])
    #expect(LogStream.escaped(line[...]) == line)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["message"] as? String == text)
    let metadata = try #require(object["metadata"] as? [String: [Any]])
    #expect(metadata["k"]?.first as? String == text)
    #expect((metadata["k"]?.last as? [String: String])?[text] == "v")
  }

  @Test func whatALoggerAlwaysSaysIsThereToo() {
    var handler = handler
    handler[metadataKey: "node"] = "n1"
    let event = LogEvent(
      level: .info, message: "x", metadata: ["pod": "p"], source: "s", file: "f", function: "f", line: 1)
    #expect(handler.line(for: event).hasSuffix(#""metadata":{"node":"n1","pod":"p"}}"#))
  }
}
