package import NIOCore

/// What happens on a stream, for the one who uses it. Called on the connection's event loop.
///
/// One object may handle several streams (a relay handles two); every event says which one it is about.
package protocol HTTP2StreamHandler: AnyObject {
  /// A response's header block: the first of a client stream. Informational (1xx) blocks are not reported.
  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool)

  /// Bytes of DATA. Whoever receives them gives their stream window back with ``HTTP2Stream/consume(_:)``
  /// when it has room for more.
  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer)

  /// The peer ended its side, with a trailer section or without.
  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?)

  /// `count` bytes of DATA given to ``HTTP2Stream/send(data:)`` have left for the peer.
  func stream(_ stream: HTTP2Stream, sentBytes count: Int)

  /// The stream is gone; nothing follows.
  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure)
}
