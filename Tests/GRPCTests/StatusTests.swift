import GRPC
import HTTP2
import NIOCore
import Testing

@Suite struct StatusTests {
  @Test func aStatusComesBackFromTheHeadersItIsWrittenTo() {
    let status = Status(.notFound, "no such thing: ö")
    #expect(HeaderBlock.trailersOnly(status).status == status)
    #expect(HeaderBlock.trailers(status).status == status)
    #expect(HeaderBlock.trailers(Status(.ok, "")).textFields.map(\.name) == ["grpc-status"])
  }

  @Test(arguments: ["99", "x", "+0", "-0", " 0", "0 ", "0x0", "", "0000000000"])
  func aCodeThatIsNotGRPCsIsUnknown(text: String) {
    #expect(HeaderBlock([("grpc-status", text)]).status?.code == .unknown)
  }

  @Test func trailersDecideBeforeHeaders() {
    let answer = UnaryAnswer(
      headers: .trailersOnly(Status(.ok, "")), body: ByteBuffer(), trailers: .trailers(Status(.aborted, "no")))
    #expect(answer.status == Status(.aborted, "no"))
  }

  @Test(arguments: [
    ("404", StatusCode.unimplemented), ("503", .unavailable), ("401", .unauthenticated), ("200", .unknown),
  ])
  func withoutAStatusTheHTTPStatusDecides(http: String, code: StatusCode) {
    let answer = UnaryAnswer(headers: HeaderBlock([(":status", http)]), body: ByteBuffer(), trailers: nil)
    #expect(answer.status.code == code)
  }
}
