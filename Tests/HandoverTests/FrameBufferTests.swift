import Handover
import HandoverMessages
import NIOCore
import SwiftProtobuf
import Testing

@Suite struct FrameBufferTests {
  private let frames: [HandoverFrame.OneOf_Content] = [
    .hello(.with { $0.version = 1 }), .mark(7), .record(.with { $0.body = .init(repeating: 1, count: 5000) }),
    .serving(HandoverServing()),
  ]

  @Test(arguments: [1, 3, 4, 5, 4096, 100_000])
  func framesComeOutOfPiecesOfAnySize(pieceBytes: Int) throws {
    var all = ByteBuffer()
    for frame in frames { all.writeImmutableBuffer(FrameBuffer.bytes(frame)) }
    var buffer = FrameBuffer()
    var out: [HandoverFrame.OneOf_Content] = []
    while let piece = all.readSlice(length: min(pieceBytes, all.readableBytes)), piece.readableBytes > 0 {
      buffer.append(piece)
      while let frame = try buffer.next() { out.append(try #require(frame.content)) }
    }
    #expect(out == frames)
    #expect(buffer.rest.isEmpty)
  }

  @Test func whatMakesNoFrameYetGoesOnElsewhere() throws {
    let bytes = FrameBuffer.bytes(.mark(7))
    var first = FrameBuffer()
    first.append(try #require(bytes.getSlice(at: 0, length: 5)))
    #expect(try first.next() == nil)
    var second = FrameBuffer()
    second.append(ByteBuffer(bytes: first.rest))
    second.append(try #require(bytes.getSlice(at: 5, length: bytes.readableBytes - 5)))
    #expect(try second.next()?.content == .mark(7))
  }

  @Test func aLengthBeyondTheLimitIsRefusedBeforeItIsCollected() {
    var buffer = FrameBuffer()
    buffer.append(ByteBuffer(integer: UInt32(HandoverLimits.frameBytes + 1)))
    #expect(throws: FrameBuffer.Malformed.tooLong(bytes: HandoverLimits.frameBytes + 1)) { try buffer.next() }
  }

  @Test func whatIsNoMessageIsRefused() {
    var buffer = FrameBuffer()
    buffer.append(ByteBuffer(bytes: [0, 0, 0, 2, 0xff, 0xff]))
    #expect(throws: FrameBuffer.Malformed.notAFrame) { try buffer.next() }
  }
}
