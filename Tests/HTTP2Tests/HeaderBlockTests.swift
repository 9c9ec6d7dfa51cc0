import HTTP2
import Testing

@Suite struct HeaderBlockTests {
  private let block = HeaderBlock([("a", "1"), ("b", "2"), ("a", "3"), ("empty", "")])

  @Test func findsTheFirstFieldOfAName() {
    #expect(block.value(of: "a") == "1")
    #expect(block.value(of: "empty") == "")
    #expect(block.value(of: "c") == nil)
    #expect(block.value(of: "B") == nil)
  }

  @Test func setsAFieldInItsPlaceOrAppendsIt() {
    let copy = block.copy()
    copy.set("b", "20")
    copy.set("c", "4")
    #expect(copy.textFields.map(\.value) == ["1", "20", "3", "", "4"])
  }

  @Test func removesEveryFieldOfAName() {
    let copy = block.copy()
    copy.remove("a")
    #expect(copy.textFields.map(\.name) == ["b", "empty"])
  }

  @Test func aCopyLeavesTheOriginalAlone() {
    let copy = block.copy()
    copy.set("a", "changed")
    #expect(block.value(of: "a") == "1")
  }
}
