internal import CNghttp2
package import NIOCore

/// An HTTP/2 connection: a libnghttp2 session behind a NIO channel, in either role.
///
/// Add it as the only handler of a stream channel. It speaks SETTINGS at once and reads at once. All of it
/// is confined to the channel's event loop. Nothing here knows gRPC.
package final class HTTP2Connection: ChannelInboundHandler {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  package enum Role: Sendable { case client, server }

  package let role: Role
  package let group: ConnectionGroup
  /// Held until the connection is dead. Nothing here is referred to weakly: an object that ever was pays for it with
  /// each retain and release.
  package var delegate: (any HTTP2ConnectionDelegate)?

  let session: OpaquePointer
  /// Streams that are open, or will be when their request leaves.
  private(set) var streams = OpenStreams()
  /// The header block being received.
  var incoming = IncomingHeaders()
  /// Header lists submitted that have not left, bytes.
  private var queuedHeaderBytes = 0
  private var streamErrors = RateLimit(
    burst: HTTP2Limits.streamErrorBurst, perSecond: HTTP2Limits.streamErrorsPerSecond)
  /// The read being parsed, out of which DATA is sliced, and where nghttp2 sees it.
  private var reading = ByteBuffer()
  private var readingBase: UnsafePointer<UInt8>?
  private var context: ChannelHandlerContext?
  private var out: ByteBuffer
  /// The channel takes more: it says so itself, also in the midst of a write.
  private var isWritable = false
  private var isFlushing = false
  private var isAwaitingFlush = false
  private var hasUnflushedWrites = false
  /// All that is collected for the next write is acknowledgements: they may wait for company.
  private var hasOnlyAcknowledgements = true
  private var isHoldingAcknowledgements = false
  /// The channel is closed or the session failed: nothing more is read or written.
  private(set) var isDead = false
  private var isShuttingDown = false
  private var isClosing = false
  private let confirmsWrites: Bool
  /// The write that is being collected, counted from 1, and the last one that the kernel took.
  private var currentWrite = 1
  private var confirmedWrite = 0
  /// The peer sent GOAWAY.
  package internal(set) var isGoingAway = false

  /// - Parameters:
  ///   - role: Which end of the connection this is.
  ///   - group: The connections of the same event loop.
  ///   - delegate: Held until the connection is dead, which it hears last.
  ///   - confirmsWrites: Follow each write to the kernel, so that ``HTTP2Stream/mayHaveArrived`` is exact.
  package init(
    role: Role, group: ConnectionGroup, delegate: (any HTTP2ConnectionDelegate)?, confirmsWrites: Bool = false
  ) {
    self.role = role
    self.group = group
    self.delegate = delegate
    self.confirmsWrites = confirmsWrites
    session = Session.make(role)
    out = ByteBuffer()
    nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
    group.add(self)
  }

  deinit { nghttp2_session_del(session) }

  /// Streams that are open now.
  package var openStreams: Int { streams.all.count }
  /// The channel, while it is open.
  package var channel: (any Channel)? { isDead ? nil : context?.channel }
  /// A new stream may be opened (client role).
  package var canOpenStreams: Bool {
    !isDead && !isGoingAway && nghttp2_session_check_request_allowed(session) != 0
  }

  // MARK: For users

  /// Opens a stream (client role).
  ///
  /// - Parameters:
  ///   - headers: The request's header block, pseudo-header fields first.
  ///   - endStream: The request has no body.
  ///   - handler: Hears what happens on the stream.
  /// - Returns: The stream; nil if the connection takes no new ones (GOAWAY, closed, ids used up, too many header
  ///   lists are waiting for a peer that does not read).
  package func open(_ headers: HeaderBlock, endStream: Bool, handler: some HTTP2StreamHandler) -> HTTP2Stream? {
    guard canOpenStreams, queuedHeaderBytes <= HTTP2Limits.queuedHeaderBytes else { return nil }
    let stream = HTTP2Stream(connection: self, id: 0)
    stream.handler = handler
    guard let id = Session.submitRequest(session, headers, stream, endStream: endStream) else { return nil }
    stream.id = id
    queued(headers)
    if endStream { stream.end() }
    streams.add(stream)
    setNeedsFlush()
    return stream
  }

  /// Says GOAWAY (server role), lets the streams that are open finish, then closes: what was sent before
  /// the client read the first notice is still accepted (RFC 9113, section 6.8).
  package func shutDown() {
    guard !isDead, !isShuttingDown else { return }
    isShuttingDown = true
    nghttp2_submit_shutdown_notice(session)
    // Its acknowledgement proves that the notice was read.
    nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    setNeedsFlush()
  }

  /// Closes the channel when no stream is open (client role).
  package func closeWhenIdle() {
    isGoingAway = true
    guard !isDead else { return }
    if streams.all.isEmpty { return close() }
    // With GOAWAY sent, nghttp2 wants to read and write no more after its last stream.
    nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, ErrorCode.noError.rawValue, nil, 0)
    setNeedsFlush()
  }

  /// Closes the channel at once; open streams are lost.
  package func close() {
    context?.close(promise: nil)
  }

  // MARK: Streams

  /// The stream that nghttp2 has open under this id.
  func stream(_ id: Int32) -> HTTP2Stream? {
    nghttp2_session_get_stream_user_data(session, id).map {
      Unmanaged<HTTP2Stream>.fromOpaque($0).takeUnretainedValue()
    }
  }

  /// A stream that the peer has opened.
  func add(_ stream: HTTP2Stream) {
    streams.add(stream)
    nghttp2_session_set_stream_user_data(session, stream.id, Unmanaged.passUnretained(stream).toOpaque())
  }

  /// nghttp2 must not know a stream that is not held here.
  func remove(_ stream: HTTP2Stream) {
    nghttp2_session_set_stream_user_data(session, stream.id, nil)
    streams.remove(stream)
  }

  // MARK: For streams

  func submitResponse(_ stream: HTTP2Stream, _ headers: HeaderBlock, endStream: Bool) {
    if queuedHeaderBytes > HTTP2Limits.queuedHeaderBytes {
      fail(stream, .enhanceYourCalm)
    } else if Session.submitResponse(session, headers, stream, endStream: endStream) {
      queued(headers)
    } else {
      fail(stream, .internalError)
    }
    setNeedsFlush()
  }

  func submitReset(_ stream: HTTP2Stream, _ code: ErrorCode) {
    guard !isDead else { return }
    stream.isResetByUs = true
    nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
    setNeedsFlush()
  }

  func resume(_ stream: HTTP2Stream) {
    guard !isDead else { return }
    nghttp2_session_resume_data(session, stream.id)
    setNeedsFlush()
  }

  func consume(_ stream: HTTP2Stream, _ count: Int) {
    guard !isDead else { return }
    nghttp2_session_consume_stream(session, stream.id, count)
    setNeedsFlush()
  }

  /// Resets a stream by ourselves and says so to its handler.
  func fail(_ stream: HTTP2Stream, _ code: ErrorCode) {
    let handler = stream.handler
    stream.reset(code)
    handler?.stream(stream, closed: .reset(code))
  }

  // MARK: Channel

  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    out = context.channel.allocator.buffer(capacity: 4096)
    isWritable = context.channel.isWritable
    if context.channel.isActive { setNeedsFlush() }
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    die()
    self.context = nil
  }

  package func channelActive(context: ChannelHandlerContext) { setNeedsFlush() }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDead, !isClosing else { return }
    group.eventLoop.assertInEventLoop()
    group.beginRead()
    defer { group.endRead() }
    let buffer = unwrapInboundIn(data)
    reading = buffer
    let read = buffer.withUnsafeReadableBytes { bytes -> Int in
      guard let base = bytes.baseAddress else { return 0 }
      let start = base.assumingMemoryBound(to: UInt8.self)
      readingBase = start
      return nghttp2_session_mem_recv(session, start, bytes.count)
    }
    readingBase = nil
    reading = ByteBuffer()
    setNeedsFlush()
    if read < 0 { fail(context, error: read) }
  }

  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    isWritable = context.channel.isWritable
    if isWritable { setNeedsFlush() }
  }

  package func channelInactive(context: ChannelHandlerContext) {
    die()
    context.fireChannelInactive()
  }

  package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func die() {
    guard !isDead else { return }
    isDead = true
    group.remove(self)
    let open = streams.all
    for stream in open { remove(stream) }
    for stream in open { stream.close(.connectionLost) }
    delegate?.connectionClosed(self)
    delegate = nil
  }

  /// What the peer sent ends the connection, and nghttp2 has not said so to it yet.
  private func fail(_ context: ChannelHandlerContext, error: Int) {
    switch Int32(error) {
    case NGHTTP2_ERR_FLOODED.rawValue, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue:
      nghttp2_session_terminate_session(session, ErrorCode.enhanceYourCalm.rawValue)
      flush()
    default:
      break
    }
    context.close(promise: nil)
  }

  // MARK: Writing

  private func setNeedsFlush() {
    guard !isAwaitingFlush, !isDead else { return }
    isAwaitingFlush = true
    group.needsFlush(self)
  }

  func flush() {
    isAwaitingFlush = false
    guard let context, !isFlushing, !isDead, !isClosing, context.channel.isActive else { return }
    isFlushing = true
    defer { isFlushing = false }
    while isWritable, !isDead {
      var frame: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &frame)
      if count < 0 { return context.close(promise: nil) }
      if count == 0 { break }
      let bytes = UnsafeRawBufferPointer(start: frame, count: count)
      if !Session.isAcknowledgement(bytes) { hasOnlyAcknowledgements = false }
      out.writeBytes(bytes)
      if out.readableBytes >= HTTP2Limits.writeChunkBytes { pushOut(context) }
    }
    let isDone = nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
    if hasOnlyAcknowledgements, !isDone, !hasUnflushedWrites, (1...HTTP2Limits.heldBytes).contains(out.readableBytes) {
      return holdAcknowledgements(context)
    }
    send(context)
    if nghttp2_session_get_outbound_queue_size(session) > HTTP2Limits.queuedFrames {
      return context.close(promise: nil)
    }
    if isDone { closeWhenWritten(context) }
  }

  private func send(_ context: ChannelHandlerContext) {
    pushOut(context)
    guard hasUnflushedWrites else { return }
    hasUnflushedWrites = false
    context.flush()
  }

  /// Lets acknowledgements wait for the next frame that is forwarded: a peer is not woken for them alone. grpc-go
  /// sends a PING with nearly every DATA that it receives.
  private func holdAcknowledgements(_ context: ChannelHandlerContext) {
    guard !isHoldingAcknowledgements else { return }
    isHoldingAcknowledgements = true
    context.eventLoop.assumeIsolated().scheduleTask(in: HTTP2Limits.holdAcknowledgements) {
      self.isHoldingAcknowledgements = false
      if let context = self.context, !self.isDead { self.send(context) }
    }
  }

  /// Nothing is left to say; what was said last may still wait for a slow reader.
  private func closeWhenWritten(_ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in self.closeBehindReader(context) }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
  }

  /// A peer that still writes (acknowledgements, windows) into a socket that is closed is told so at once, and then does not
  /// read the answers that lie there for it: so only our direction is closed first, and the rest when the peer has seen that.
  private func closeBehindReader(_ context: ChannelHandlerContext) {
    guard role == .server else { return context.close(promise: nil) }
    let closed = context.eventLoop.makePromise(of: Void.self)
    closed.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
    context.close(mode: .output, promise: closed)
    context.eventLoop.assumeIsolated().scheduleTask(in: HTTP2Limits.lingering) { [weak self] in
      self?.context?.close(promise: nil)
    }
  }

  private func pushOut(_ context: ChannelHandlerContext) {
    guard out.readableBytes > 0 else { return }
    let written: ByteBuffer
    if out.readableBytes < out.capacity / 4 {
      // A peer that does not read may let many small writes wait: each keeps no more than it needs.
      written = context.channel.allocator.buffer(buffer: out)
      out.clear()
    } else {
      written = out
      out = context.channel.allocator.buffer(capacity: 4096)
    }
    context.write(wrapOutboundOut(written), promise: confirmation(context))
    hasUnflushedWrites = true
    hasOnlyAcknowledgements = true
  }

  private func confirmation(_ context: ChannelHandlerContext) -> EventLoopPromise<Void>? {
    guard confirmsWrites else { return nil }
    let promise = context.eventLoop.makePromise(of: Void.self)
    let write = currentWrite
    currentWrite += 1
    promise.futureResult.assumeIsolated().whenSuccess { self.confirmedWrite = write }
    return promise
  }

  /// The write that holds the last byte emitted so far.
  var lastWrite: Int { out.readableBytes > 0 ? currentWrite : currentWrite - 1 }

  /// Whether the peer may have what `write` and those before it hold; it always may if nobody follows the writes.
  func mayHaveLeft(_ write: Int) -> Bool { !confirmsWrites || write <= confirmedWrite }

  /// Emits one DATA frame: its nine-byte header and `count` bytes of the stream's queue.
  func writeData(_ stream: HTTP2Stream, frameHeader: UnsafePointer<UInt8>, count: Int) {
    guard let context else { return }
    hasOnlyAcknowledgements = false
    out.writeBytes(UnsafeBufferPointer(start: frameHeader, count: 9))
    stream.dequeue(count) { slice in
      if slice.readableBytes < HTTP2Limits.copyBelowBytes {
        out.writeImmutableBuffer(slice)
      } else {
        pushOut(context)
        context.write(wrapOutboundOut(slice), promise: confirmation(context))
        hasUnflushedWrites = true
      }
    }
    if out.readableBytes >= HTTP2Limits.writeChunkBytes { pushOut(context) }
    stream.handler?.stream(stream, sentBytes: count)
  }

  /// A header list has been given to nghttp2, which copies it.
  func queued(_ headers: HeaderBlock) { queuedHeaderBytes += headers.listBytes }

  /// nghttp2 has let it go.
  func unqueued(_ headers: nghttp2_headers) {
    for field in UnsafeBufferPointer(start: headers.nva, count: headers.nvlen) {
      queuedHeaderBytes -= field.namelen + field.valuelen + HTTP2Limits.fieldOverheadBytes
    }
  }

  /// The peer made nghttp2 reset a stream. Streams reset so are no longer counted as open: without a limit, any
  /// number of calls could be begun at once.
  func madeReset() {
    guard role == .server, !streamErrors.allows(at: .now()) else { return }
    nghttp2_session_terminate_session(session, ErrorCode.enhanceYourCalm.rawValue)
  }

  // MARK: What nghttp2 reports while it reads

  /// DATA as a slice of the read that it arrived in.
  func slice(_ start: UnsafePointer<UInt8>, _ count: Int) -> ByteBuffer {
    guard let readingBase,
      let slice = reading.getSlice(at: reading.readerIndex + (start - readingBase), length: count)
    else { return ByteBuffer(bytes: UnsafeBufferPointer(start: start, count: count)) }
    return slice
  }

  /// The peer has read our shutdown notice: no stream above the last one that we know will be answered.
  func shutdownNoticeRead() {
    guard isShuttingDown else { return }
    nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
      ErrorCode.noError.rawValue, nil, 0)
    setNeedsFlush()
  }
}
