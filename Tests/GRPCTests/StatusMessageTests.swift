import GRPC
import Testing

@Suite struct StatusMessageTests {
  @Test(arguments: [
    ("plain text", "plain text"), ("100%", "100%25"), ("nö\n", "n%C3%B6%0A"), ("", ""), ("~ !", "~ !"),
  ])
  func encodesAllButPrintableASCII(message: String, text: String) {
    #expect(StatusMessage.encode(message) == text)
    #expect(StatusMessage.decode(text) == message)
  }

  @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a%20b", "a b"), ("%c3%b6", "ö")])
  func decodingNeverFails(text: String, message: String) {
    #expect(StatusMessage.decode(text) == message)
  }
}
