import Testing

@testable import YAML

@Suite struct YAMLDocumentsTests {
  private func read(_ text: String) throws(YAMLError) -> [YAMLNode] {
    try YAMLDocuments.read(Array(text.utf8))
  }

  /// A node in short: `{key: value}`, `[item]`, text, and quotes around what is quoted.
  private func shown(_ node: YAMLNode) -> String {
    switch node.value {
    case .scalar(let text, let isPlain): isPlain ? text : "\"\(text)\""
    case .list(let items): "[\(items.map(shown).joined(separator: ", "))]"
    case .mapping(let members): "{\(members.map { "\(shown($0.key)): \(shown($0.value))" }.joined(separator: ", "))}"
    }
  }

  @Test(arguments: [
    ("a: 1\nb: [x, 'y']\nc:\n- d: ~\n", [#"{a: 1, b: [x, "y"], c: [{d: ~}]}"#]),
    ("{\"a\": [true,\t\"\\u00e9\\/\"]}", [#"{"a": [true, "é/"]}"#]),
    ("a: &x {b: c}\nd: *x", ["{a: {b: c}, d: {b: c}}"]),
    ("--- a\n--- b\n---\n--- c", ["a", "b", "c"]), ("", []), ("# c\n", []),
    ("a: |\n  b\n  c\n", ["{a: \"b\nc\n\"}"]), ("[]", ["[]"]), ("{}", ["{}"]), ("a: 1\na: 2", ["{a: 1, a: 2}"]),
  ])
  func documentsAreRead(text: String, documents: [String]) throws {
    #expect(try read(text).map(shown) == documents)
  }

  @Test func everyNodeKnowsItsLine() throws {
    let root = try #require(try read("---\na:\n  - b\n  - c").first)
    guard case .mapping(let members) = root.value, case .list(let items) = members[0].value.value else {
      Issue.record("\(root)")
      return
    }
    #expect(members[0].key.line == 2)
    #expect(items.map(\.line) == [3, 4])
  }

  @Test(arguments: [("a: [", 2), ("a: b: c", 1), ("a:\n\t- b", 2), ("\"", 1), ("a: *x", 1), ("%", 1), ("\u{1}", 1)])
  func whatIsNoYAMLIsRefusedWithItsLine(text: String, line: Int) {
    let error = #expect(throws: YAMLError.self) { try read(text) }
    #expect((1...line).contains(error?.line ?? 0))
    #expect(error?.problem.hasPrefix("is not YAML: ") == true)
  }

  @Test func nestingHasALimit() {
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    let error = #expect(throws: YAMLError.self) { try read(deep) }
    #expect(error?.problem.contains("64 levels") == true)
    #expect(throws: YAMLError.self) { try read(String(repeating: "[", count: 100_000)) }
  }

  /// "A billion laughs": nine aliases of nine aliases of nine.
  @Test func aliasesCannotMakeAShortTextLarge() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...8 {
      let items = (0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", ")
      text += "a\(level): &a\(level) [\(items)]\n"
    }
    let error = #expect(throws: YAMLError.self) { try read(text) }
    #expect(error?.problem.contains("more than") == true)
  }

  @Test func anAliasOfItselfEnds() {
    #expect(throws: YAMLError.self) { try read("&a [*a]") }
  }

  @Test(arguments: [("~", true), ("", true), ("null", true), ("'~'", false), ("0", false)])
  func nullIsKnown(text: String, isNull: Bool) throws {
    guard case .mapping(let members) = try #require(try read("a: \(text)").first).value else { return }
    #expect(members[0].value.isNull == isNull)
    #expect((members[0].value.text == nil) == isNull)
  }

  @Test func noMutilatedTextCrashes() {
    var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
    let original = Array("a: &x [1, 'two', \"th\\u0072ee\"]\nb: {c: *x, d: |\n  e}\n---\n- !!str f\n".utf8)
    for _ in 0..<5_000 {
      var bytes = original
      for _ in 0..<3 { bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random) }
      _ = try? YAMLDocuments.read(bytes)
    }
  }
}

/// The same numbers in each run.
private struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
