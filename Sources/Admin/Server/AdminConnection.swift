internal import Accounts
internal import HTTP2
internal import NIOCore
internal import NIOHTTP1

/// One admin client: its requests are answered in their order, one at a time, and only as fast as it takes the answers.
///
/// Confined to the admin side's event loop. Ends with the client, or when the client is too slow
/// (``AdminLimits/patience``), asks for what it may not, or says what is no HTTP.
final class AdminConnection: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    /// Takes requests.
    case open
    /// An answer is being made elsewhere.
    case answering
    case streaming
    /// All is said; the client is to hang up.
    case closing
  }

  private let routes: RouteTable
  /// Whoever is not permitted is told so, whatever he asks.
  private let refusal: AdminError?
  private var state = State.open
  private var incoming: AdminRequest?
  private var waiting: [AdminRequest] = []
  private var hasInputEnded = false
  private var isReadHeld = false
  private var deadline: Scheduled<Void>?
  /// Sends events, until they or the connection end.
  private var streaming: Task<Void, Never>?
  private var whenWritable: CheckedContinuation<Void, Never>?
  /// The end of the last answer.
  private var lastWrite: EventLoopFuture<Void>?
  private var context: ChannelHandlerContext?

  init(routes: RouteTable, refusal: AdminError?) {
    self.routes = routes
    self.refusal = refusal
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    hangUp(after: AdminLimits.patience)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
    state = .closing
    streaming?.cancel()
    goOn()
    self.context = nil
  }

  private func hangUp(after limit: Duration) {
    deadline?.cancel()
    deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [weak self] in
      self?.state = .closing
      self?.context?.close(promise: nil)
    }
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isTakingRequests else { return }
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let part): take(part)
    case .end:
      guard let request = incoming else { return }
      incoming = nil
      guard waiting.count < AdminLimits.pipelined else { return context.close(promise: nil) }
      waiting.append(request)
      proceed()
    }
  }

  private var isTakingRequests: Bool {
    switch state {
    case .open, .answering: true
    case .streaming, .closing: false
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    if let refusal { return refuse(refusal) }
    let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    guard length <= AdminLimits.contentBytes else { return refuse(.contentTooLarge) }
    incoming = AdminRequest(head)
    // RFC 9110, section 10.1.1.
    guard head.headers.first(name: "expect")?.lowercased() == "100-continue", waiting.isEmpty else { return }
    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
  }

  private func take(_ part: ByteBuffer) {
    guard let count = incoming?.content.count else { return }
    guard count + part.readableBytes <= AdminLimits.contentBytes else { return refuse(.contentTooLarge) }
    incoming?.content.append(contentsOf: part.readableBytesView)
  }

  /// Answers what waits, as long as the client takes the answers; then reads on.
  private func proceed() {
    while case .open = state, !waiting.isEmpty, let context, context.channel.isWritable {
      answer(waiting.removeFirst(), context)
    }
    guard case .open = state, waiting.isEmpty else { return }
    if hasInputEnded { return finish() }
    guard isReadHeld else { return }
    isReadHeld = false
    context?.read()
  }

  func read(context: ChannelHandlerContext) {
    switch state {
    case .open where waiting.isEmpty, .closing: context.read()
    case .open, .answering, .streaming: isReadHeld = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { goOn() }
    proceed()
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      hasInputEnded = true
      switch state {
      case .open: proceed()
      case .answering: break
      case .streaming, .closing: context.close(promise: nil)
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What comes behind the last word is not read; it is taken, so that the client gets to our answer.
    if case .closing = state, error is HTTPParserError || error is ByteToMessageDecoderError { return }
    // Behind a request that still waits for its answer, nothing can be said.
    guard let error = error as? HTTPParserError, isTakingRequests, waiting.isEmpty, !hasInputEnded else {
      return context.close(promise: nil)
    }
    refuse(refusal ?? (error == .headerOverflow ? .headTooLarge : .malformed("this is no HTTP request")))
  }

  // MARK: Answers

  private func answer(_ request: AdminRequest, _ context: ChannelHandlerContext) {
    hangUp(after: AdminLimits.patience)
    do throws(AdminError) {
      switch try routes.answer(request) {
      case .now(let response): send(response, to: request)
      case .later(let response):
        state = .answering
        response(context.eventLoop).assumeIsolated().whenSuccess { [weak self] response in
          guard let self, case .answering = self.state else { return }
          self.state = .open
          self.send(response, to: request)
          self.proceed()
        }
      case .events(let events): stream(events, to: request, context)
      }
    } catch {
      send(error.response, to: request)
    }
  }

  private func send(_ response: AdminResponse, to request: AdminRequest) {
    write(response, keepsAlive: request.keepsAlive, withContent: request.head.method != .HEAD)
    if !request.keepsAlive { finish() }
  }

  private func refuse(_ error: AdminError) {
    write(error.response, keepsAlive: false, withContent: true)
    finish()
  }

  private func write(_ response: AdminResponse, keepsAlive: Bool, withContent: Bool) {
    guard let context else { return }
    var head = HTTPResponseHead(version: .http1_1, status: response.status)
    head.headers.add(name: "content-type", value: response.contentType)
    head.headers.add(name: "content-length", value: String(response.content.count))
    for (name, value) in response.headers { head.headers.add(name: name, value: value) }
    if !keepsAlive { head.headers.add(name: "connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if withContent {
      let content = context.channel.allocator.buffer(bytes: response.content)
      context.write(wrapOutboundOut(.body(.byteBuffer(content))), promise: nil)
    }
    end(context)
  }

  private func end(_ context: ChannelHandlerContext) {
    lastWrite = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    lastWrite?.assumeIsolated().whenSuccess { [weak self] in
      guard case .open? = self?.state else { return }
      self?.hangUp(after: AdminLimits.patience)
    }
  }

  /// Hangs up on our side when all is written; on the other the client does, so that what it sends meanwhile does not
  /// cost it the answer.
  private func finish() {
    guard let context else { return }
    state = .closing
    incoming = nil
    waiting = []
    hangUp(after: AdminLimits.patience)
    let written = lastWrite ?? context.eventLoop.makeSucceededVoidFuture()
    written.assumeIsolated().whenSuccess { [weak self] in
      guard let self, let context = self.context else { return }
      context.close(mode: self.hasInputEnded ? .all : .output, promise: nil)
      self.hangUp(after: AdminLimits.linger)
    }
  }

  // MARK: Events

  private func stream(_ events: AsyncStream<AccountEvent>, to request: AdminRequest, _ context: ChannelHandlerContext) {
    var head = HTTPResponseHead(version: .http1_1, status: .ok)
    head.headers.add(name: "content-type", value: ServerSentEvent.contentType)
    head.headers.add(name: "cache-control", value: "no-store")
    head.headers.add(name: "connection", value: "close")
    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    guard request.head.method != .HEAD else {
      end(context)
      return finish()
    }
    state = .streaming
    deadline?.cancel()
    let confined = NIOLoopBound(self, eventLoop: context.eventLoop)
    streaming = Task(executorPreference: EventLoopExecutor(context.eventLoop)) {
      for await event in events {
        guard await confined.value.send(event) else { return }
      }
    }
  }

  /// - Returns: The reader is there for the next one.
  private func send(_ event: AccountEvent) async -> Bool {
    guard case .streaming = state, let context else { return false }
    guard event.missed == 0 else {
      // This one it does not get either.
      write(.missed(event.missed + 1), context)
      end(context)
      finish()
      return false
    }
    write(ServerSentEvent(event), context)
    context.flush()
    if !context.channel.isWritable {
      hangUp(after: AdminLimits.eventPatience)
      await withCheckedContinuation { whenWritable = $0 }
      deadline?.cancel()
    }
    return self.context != nil
  }

  private func goOn() {
    whenWritable?.resume()
    whenWritable = nil
  }

  private func write(_ event: ServerSentEvent, _ context: ChannelHandlerContext) {
    let buffer = context.channel.allocator.buffer(bytes: event.bytes)
    context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
  }
}
