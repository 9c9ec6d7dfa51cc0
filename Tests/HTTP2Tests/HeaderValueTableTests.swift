import Testing

@testable import HTTP2

@Suite struct HeaderValueTableTests {
  private let table = HeaderValueTable(["/longer", "/a", "", "/b"])

  private func index(_ value: String) -> Int? {
    HeaderBlock([("other", "/b"), (":path", value), (":path", "/b")]).index(of: ":path", in: table)
  }

  @Test(arguments: zip(["/longer", "/a", "/b"], [0, 1, 3]))
  func findsEachValueByItsBytes(value: String, expected: Int) {
    #expect(index(value) == expected)
  }

  @Test(arguments: ["/", "/A", "/c", "/longes", "/longer/", "longer", String(repeating: "/", count: 1 << 16)])
  func doesNotKnowWhatOnlyResemblesOne(value: String) {
    #expect(index(value) == nil)
  }

  @Test func anEmptyTableKnowsNothing() {
    #expect(HeaderBlock([("a", "b")]).index(of: "a", in: HeaderValueTable([])) == nil)
  }

  @Test func aFieldThatIsNotThereHasNone() {
    #expect(HeaderBlock([("a", "/a")]).index(of: "b", in: table) == nil)
  }
}
