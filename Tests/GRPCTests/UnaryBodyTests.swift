import GRPC
import NIOCore
import Testing

@Suite struct UnaryBodyTests {
  private let message: [UInt8] = [1, 2, 3]

  @Test func aBodyGivesItsMessageBack() throws {
    let body = UnaryBody.body(of: message)
    #expect(Array(body.readableBytesView) == [0, 0, 0, 0, 3, 1, 2, 3])
    #expect(Array(try UnaryBody.message(in: body).readableBytesView) == message)
    #expect(try UnaryBody.message(in: UnaryBody.body(of: [])).readableBytes == 0)
  }

  @Test(
    arguments: [
      ([], UnaryBody.Malformed.empty),
      ([0, 0, 0, 0], .truncated),
      ([0, 0, 0, 0, 4, 1, 2, 3], .truncated),
      ([0, 0xff, 0xff, 0xff, 0xff], .truncated),
      ([1, 0, 0, 0, 1, 9], .compressed),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .severalMessages),
      ([0, 0, 0, 0, 1, 9, 7], .severalMessages),
    ] as [([UInt8], UnaryBody.Malformed)])
  func anythingButOneMessageIsRefused(bytes: [UInt8], expected: UnaryBody.Malformed) {
    #expect(throws: expected) { try UnaryBody.message(in: ByteBuffer(bytes: bytes)) }
  }
}
