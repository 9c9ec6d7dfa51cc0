internal import CNghttp2
package import NIOCore

/// One HTTP/2 stream of an ``HTTP2Connection``: what is sent on it, and who hears what arrives.
///
/// Confined to the connection's event loop. All calls on a stream that is closed do nothing.
package final class HTTP2Stream {
  package internal(set) var id: Int32
  /// Who hears this stream's events; released when the stream is closed or reset.
  package var handler: (any HTTP2StreamHandler)?
  /// The connection, until the stream is closed.
  package internal(set) var connection: HTTP2Connection?

  /// Bytes accepted by ``send(data:)`` that have not left.
  package var queuedBytes: Int { queue.readableBytes }
  /// When this stream's queue last moved, in ticks of the connection group.
  private(set) var lastProgress: UInt64 = 0
  private var queue = ByteBufferQueue()
  private var isEndQueued = false
  private var trailers: HeaderBlock?
  private var resetAfterEnd: ErrorCode?

  /// Our END_STREAM has left.
  package private(set) var hasSentEnd = false
  /// The write of the connection that carried our END_STREAM.
  private var endWrite = 0
  /// Our END_STREAM may have reached the peer, so the peer may have acted on the request. Known when the stream
  /// is closed; exact only on a connection that confirms its writes, which else is assumed to have sent them.
  package private(set) var mayHaveArrived = false
  /// The peer's END_STREAM has arrived.
  package internal(set) var hasReceivedEnd = false
  /// A response's header block has been given to ``send(headers:endStream:)``.
  package private(set) var hasSentHeaders = false
  /// We have submitted a RST_STREAM.
  var isResetByUs = false
  /// Client role: the (final) response header block has arrived.
  var hasReceivedHeaders = false

  /// Where it is among the ``OpenStreams``, which set this.
  var place: Int?

  init(connection: HTTP2Connection, id: Int32) {
    self.connection = connection
    self.id = id
  }

  package var isOpen: Bool { connection != nil }

  /// Server role: sends the response's header block. Must come before any data, and once.
  package func send(headers: HeaderBlock, endStream: Bool) {
    guard let connection, !hasSentHeaders else { return }
    hasSentHeaders = true
    isEndQueued = isEndQueued || endStream
    connection.submitResponse(self, headers, endStream: endStream)
  }

  /// Queues DATA. Empty buffers are dropped.
  package func send(data: ByteBuffer) {
    guard let connection, !isEndQueued, data.readableBytes > 0 else { return }
    if queuedBytes == 0 { lastProgress = connection.group.nextTick() }
    queue.append(data)
    connection.group.buffered(data.readableBytes)
    connection.resume(self)
  }

  /// Ends our side behind what is queued, with a trailer section or without.
  package func end(trailers: HeaderBlock? = nil) {
    guard let connection, !isEndQueued else { return }
    isEndQueued = true
    self.trailers = trailers
    if let trailers { connection.group.buffered(trailers.listBytes) }
    connection.resume(self)
  }

  /// Resets the stream now; what is queued is lost and no further event is reported.
  package func reset(_ code: ErrorCode) {
    guard let connection else { return }
    handler = nil
    discardQueue()
    connection.submitReset(self, code)
  }

  /// Resets the stream as soon as our END_STREAM has left: an early answer whose sender does not want the
  /// rest of the request (RFC 9113, section 8.1).
  package func resetAfterEnd(_ code: ErrorCode) {
    guard let connection else { return }
    guard !hasSentEnd else { return connection.submitReset(self, code) }
    resetAfterEnd = code
  }

  /// Gives `count` received bytes back to the stream's flow-control window.
  package func consume(_ count: Int) {
    guard count > 0 else { return }
    connection?.consume(self, count)
  }

  // MARK: What nghttp2 asks while it writes

  enum NextData {
    case none
    case bytes(Int, isLast: Bool)
  }

  /// How much of the queue goes into the next DATA frame of at most `limit` bytes.
  func nextData(limit: Int) -> NextData {
    let count = min(limit, queuedBytes)
    let isLast = isEndQueued && count == queuedBytes
    return count == 0 && !isLast ? .none : .bytes(count, isLast: isLast)
  }

  /// Taken once, when the last DATA goes out.
  func takeTrailers() -> HeaderBlock? {
    defer { trailers = nil }
    if let trailers { connection?.group.unbuffered(trailers.listBytes) }
    return trailers
  }

  /// Hands the first `count` queued bytes to `write`, slice by slice.
  func dequeue(_ count: Int, write: (consuming ByteBuffer) -> Void) {
    var left = count
    while left > 0, let slice = queue.take(left) {
      left -= slice.readableBytes
      write(slice)
    }
    guard let connection else { return }
    lastProgress = connection.group.nextTick()
    connection.group.unbuffered(count)
  }

  func discardQueue() {
    isEndQueued = true
    guard queuedBytes > 0 || trailers != nil else { return }
    connection?.group.unbuffered(queuedBytes + (trailers?.listBytes ?? 0))
    queue = ByteBufferQueue()
    trailers = nil
  }

  /// Our END_STREAM has left.
  func endSent() {
    hasSentEnd = true
    endWrite = connection?.lastWrite ?? 0
    if let resetAfterEnd { connection?.submitReset(self, resetAfterEnd) }
  }

  /// The stream is gone: forgets everything and tells the handler.
  func close(_ closure: StreamClosure) {
    discardQueue()
    mayHaveArrived = hasSentEnd && connection?.mayHaveLeft(endWrite) == true
    connection = nil
    let handler = handler
    self.handler = nil
    handler?.stream(self, closed: closure)
  }
}
