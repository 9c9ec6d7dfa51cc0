import Testing

@testable import Admin

@Suite struct PathSegmentTests {
  @Test(arguments: ["koordlet", "a b", "100%", "ü/x", "", "a+b?c#d", "~._-"])
  func whatIsEncodedIsDecodedAgain(text: String) {
    let encoded = PathSegment.encoded(text)
    #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    #expect(!encoded.contains("/") && !encoded.contains("?"))
    #expect(PathSegment.decoded(encoded[...]) == text)
  }

  @Test(arguments: ["%", "%4", "%zz", "%+1", "%FF", "a%C3"])
  func whatIsMalformedIsNoSegment(text: String) {
    #expect(PathSegment.decoded(text[...]) == nil)
  }
}
