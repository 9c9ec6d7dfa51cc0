import HTTP2
import NIOCore

/// A stream handler that remembers what happened; it consumes what it receives unless told not to.
final class Recorder: HTTP2StreamHandler {
  var stream: HTTP2Stream?
  var consumes = true
  private(set) var headers: HeaderBlock?
  private(set) var trailers: HeaderBlock?
  private(set) var receivedBytes = 0
  private(set) var text = ""
  private(set) var sentBytes = 0
  private(set) var hasEnded = false
  private(set) var closure: StreamClosure?
  private(set) var mayHaveArrived: Bool?

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {
    self.headers = headers
    hasEnded = endStream
  }

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    receivedBytes += data.readableBytes
    if receivedBytes < 1024 { text += String(buffer: data) }
    if consumes { stream.consume(data.readableBytes) }
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) {
    hasEnded = true
    self.trailers = trailers
  }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) { sentBytes += count }

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    self.closure = closure
    mayHaveArrived = stream.mayHaveArrived
  }
}
