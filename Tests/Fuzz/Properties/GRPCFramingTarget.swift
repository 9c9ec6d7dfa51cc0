import GRPC
import HTTP2
import NIOCore
import NIOEmbedded

/// A unary call's body: whatever its bytes and however they are cut, in memory and by HTTP/2, what is read from it is
/// what is read from it in one piece; a body that is accepted is exactly the one that its message would be sent in.
///
/// An input is the body behind as many bytes of cuts as its first byte says.
package enum GRPCFramingTarget: FuzzTarget {
  package static let name = "grpc-framing"

  package static func check(_ bytes: [UInt8]) throws {
    var input = ByteReader(bytes)
    let cuts = input.shortBytes()
    let body = input.remaining()

    let whole = Result { () throws(UnaryBody.Malformed) in try UnaryBody.message(in: ByteBuffer(bytes: body)) }
    let pieces = pieces(of: body, cuts)
    try expect(read(collected(pieces)) == whole, "the body reads differently in \(pieces.count) pieces")
    try expect(read(try received(pieces)) == whole, "the body reads differently after \(pieces.count) DATA frames")

    if case .success(let message) = whole {
      let again = UnaryBody.body(of: message.readableBytesView)
      try expect(Array(again.readableBytesView) == body, "an accepted body is not the one that its message gives")
    }
    try expect(
      read(UnaryBody.body(of: body)) == .success(ByteBuffer(bytes: body)), "a message does not come out of its body")
  }

  private static func read(_ body: ByteBuffer) -> Result<ByteBuffer, UnaryBody.Malformed> {
    Result { () throws(UnaryBody.Malformed) in try UnaryBody.message(in: body) }
  }

  /// A cut of zero is an empty piece.
  private static func pieces(of body: [UInt8], _ cuts: [UInt8]) -> [ArraySlice<UInt8>] {
    var rest = body[...]
    var pieces: [ArraySlice<UInt8>] = []
    for cut in cuts {
      pieces.append(rest.prefix(Int(cut)))
      rest = rest.dropFirst(Int(cut))
    }
    return pieces + [rest]
  }

  /// As a call collects its body: each piece is a slice of the read that it came in.
  private static func collected(_ pieces: [ArraySlice<UInt8>]) -> ByteBuffer {
    var body = ByteBuffer()
    for piece in pieces {
      let reading = ByteBuffer(bytes: [0xee] + piece + [0xee])
      guard let data = reading.getSlice(at: 1, length: piece.count) else { continue }
      if body.readableBytes == 0 { body = data } else { body.writeImmutableBuffer(data) }
    }
    return body
  }

  /// As it arrives: a request whose DATA frames are the pieces.
  private static func received(_ pieces: [ArraySlice<UInt8>]) throws -> ByteBuffer {
    let channel = EmbeddedChannel()
    let collector = BodyCollector()
    let connection = HTTP2Connection(
      role: .server, group: ConnectionGroup(eventLoop: channel.eventLoop), delegate: collector)
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
    let head = Frame.bytes(
      Frame.headers, flags: Frame.endHeaders, stream: 1, Frame.requestBlock(path: Array("/a/b".utf8)))
    try channel.writeInbound(ByteBuffer(bytes: Frame.preface + Frame.bytes(Frame.settings) + head))
    for piece in pieces {
      // The largest frame that a peer may send without being told otherwise.
      var rest = piece
      repeat {
        try channel.writeInbound(ByteBuffer(bytes: Frame.bytes(Frame.data, stream: 1, Array(rest.prefix(16384)))))
        rest = rest.dropFirst(16384)
      } while !rest.isEmpty
    }
    try channel.writeInbound(ByteBuffer(bytes: Frame.bytes(Frame.data, flags: Frame.endStream, stream: 1)))
    try expect(collector.hasEnded, "the request did not end")
    channel.close(promise: nil)
    channel.embeddedEventLoop.run()
    return collector.body
  }
}

/// Collects the body of a request, as a hooked call does.
private final class BodyCollector: HTTP2ConnectionDelegate, HTTP2StreamHandler {
  private(set) var body = ByteBuffer()
  private(set) var hasEnded = false

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) { stream.handler = self }
  func connectionIsGoingAway(_ connection: HTTP2Connection) {}
  func connectionClosed(_ connection: HTTP2Connection) {}

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {}
  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    stream.consume(data.readableBytes)
    body.writeImmutableBuffer(data)
  }
  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) { hasEnded = true }
  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {}
  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {}
}
