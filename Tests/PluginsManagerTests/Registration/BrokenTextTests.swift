import Testing

@testable import PluginsManager

/// Files that are no registration at all.
@Suite struct BrokenTextTests {
  @Test(arguments: ["", " \r\n\t"])
  func anEmptyFileIsCalledEmpty(text: String) {
    #expect(throws: RegistrationError.empty(file: "f.json")) { try decode(text) }
  }

  @Test func aHalfWrittenFileIsToldWithThePlaceWhereItEnds() {
    let error = #expect(throws: RegistrationError.self) { try decode("{\"remote-endpoint\":\n \"/run/a.so") }
    #expect(error?.description == "f.json:2: ends too early, at column 12; written only in part?")
  }

  @Test func everyBeginningOfAFileIsRefused() {
    let whole = Array(goodFile().utf8)
    for count in 1..<whole.count {
      #expect(throws: RegistrationError.self) {
        try Registration(decoding: Array(whole.prefix(count)), file: "f.json")
      }
    }
  }

  @Test(arguments: [
    ("{\n \"a\":tru}", 2, 6, "a value: text in double quotes, a number, true, false, null, a list or an object"),
    (#"{"a" 1}"#, 1, 6, "a colon behind the key"), (#"{"remote-endpoint":"/a"}}"#, 1, 25, "the end of the text"),
    ("{\"remote-endpoint\":\"/a\"}\n\nx", 3, 1, "the end of the text"), ("{\"a\":1\n\"b\":2}", 2, 1, "a comma or }"),
    (#"{"a":[1 2]}"#, 1, 9, "a comma or ]"), ("{a:1}", 1, 2, "a key in double quotes"),
  ])
  func whatIsNoJSONIsRefusedWithThePlaceAndWhatIsMeant(text: String, line: Int, column: Int, meant: String) {
    let error = RegistrationError.syntax(file: "f.json", line: line, column: column, meant: meant)
    #expect(throws: error) { try decode(text) }
  }

  @Test func aPlaceThatOnlyTheLibraryKnowsIsNotTold() {
    let error = RegistrationError.syntax(file: "f.json", line: nil, column: nil, meant: nil)
    #expect(error.description == "f.json: is not valid JSON")
  }

  @Test(arguments: ["null", "1", #""text""#, "[]"])
  func whatIsNoObjectIsRefused(text: String) {
    #expect(throws: RegistrationError.notAnObject(file: "f.json")) { try decode(text) }
  }

  @Test(arguments: [[0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d], [0x7b, 0x00, 0x7d, 0x00], [0xff, 0xfe, 0x7b, 0x7d]])
  func whatIsNotUTF8IsRefused(bytes: [UInt8]) {
    #expect(throws: RegistrationError.notUTF8(file: "f.json")) {
      try Registration(decoding: bytes, file: "f.json")
    }
  }

  @Test func aFileOfExactlyOneMebibyteIsRead() throws {
    let text = goodFile()
    let padding = String(repeating: " ", count: Registration.limitBytes - text.utf8.count)
    #expect(try decode(text + padding).endpoint == "/run/a.sock")
  }

  @Test func aLargerFileIsRefusedBeforeItIsParsed() {
    let notEvenJSON = [UInt8](repeating: 0xff, count: Registration.limitBytes + 1)
    #expect(throws: RegistrationError.tooLarge(file: "f.json", limitBytes: 1_048_576)) {
      try Registration(decoding: notEvenJSON, file: "f.json")
    }
  }

  @Test(arguments: ["[", #"{"a":"#, #"{"uid":["#])
  func aHundredThousandLevelsAreRefusedWithoutACrash(opening: String) {
    #expect(throws: RegistrationError.tooDeep(file: "f.json", limit: 32)) {
      try decode(String(repeating: opening, count: 100_000))
    }
  }

  @Test func bracketsInsideAStringAreNoLevels() throws {
    let text = String(repeating: #"[{\"\\"#, count: 1000)
    #expect(try decode(#"{"x":"\#(text)","remote-endpoint":"/a"}"#).endpoint == "/a")
  }

  /// Any outcome is right; the library below must not trap on any of them.
  @Test func noMutilatedFileCrashes() {
    var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
    let original = Array(#"{"remote-endpoint":"/a\u00e9","uid":1e3,"runtime-hooks":["A",[null,-1.5]],"x":{}}"#.utf8)
    let replacements = Array("{}[]\",:\\u\r\n 0eE-+.tfn/\u{e9}".utf8)
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: bytes.indices, using: &random)
        bytes[index] = replacements.randomElement(using: &random) ?? 0
      }
      _ = try? Registration(decoding: bytes, file: "f.json")
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
