internal import GRPC
internal import HTTP2
internal import Meters
internal import NIOCore

/// A call that passes through: two streams, and every event of one goes to the other.
///
/// Message bytes, header lists, trailers, resets and ends are kept in both directions; nothing is decoded
/// and nothing waits for a whole message. A stream's window is given back when its bytes have left on the
/// other side, so an unread stream stalls its producer and holds one window at most.
final class RelayedCall: HTTP2StreamHandler {
  private let downstream: HTTP2Stream
  private var upstream: HTTP2Stream?
  private let route: Route
  /// Owns this call; let go when it is over.
  private var connection: KubeletConnection?
  private let server: CallServer
  private let observation: Observation?
  /// How it ended; of a call whose caller leaves, what the caller made of it.
  private var code = StatusCode.cancelled
  /// The request, while there is no upstream stream yet.
  private var requestHeaders: HeaderBlock?
  private var early: ByteBuffer?
  private var earlyTrailers: HeaderBlock?
  private var waitingTicket: UInt64?
  private var isRepeated = false
  private var isDone = false

  /// An endless stream never finishes by itself, so a drain does not wait for it.
  var isEndless: Bool { route.isEndless }

  private var endpoint: RuntimeEndpoint { server.endpoint(of: route) }

  init(
    _ downstream: HTTP2Stream, _ headers: HeaderBlock, route: Route, connection: KubeletConnection, server: CallServer
  ) {
    self.downstream = downstream
    self.route = route
    self.connection = connection
    self.server = server
    observation = route.verb.map { server.observation(of: $0) }
    requestHeaders = headers
  }

  /// Waits for a runtime that has never answered, then finds a connection and sends the request on it.
  func start(on channel: ClientChannel) {
    guard endpoint.hasAnswered else { return wait(channel) }
    channel.withConnection { connection in
      switch connection {
      case .success(let connection): self.open(on: connection, channel)
      case .failure(let failure): self.fail(Status(failure, endpoint: self.endpoint))
      }
    }
  }

  private func open(on connection: HTTP2Connection, _ channel: ClientChannel) {
    guard !isDone, let headers = requestHeaders else { return }
    let hasEnded = downstream.hasReceivedEnd
    let isEmpty = hasEnded && early == nil && earlyTrailers == nil
    guard let upstream = connection.open(headers, endStream: isEmpty, handler: self) else {
      // The connection took no stream after all: once more, on a fresh one.
      guard !isRepeated else { return fail(Status(.notProcessed, endpoint: endpoint)) }
      isRepeated = true
      return start(on: channel)
    }
    self.upstream = upstream
    requestHeaders = nil
    if let early = early.take() { upstream.send(data: early) }
    if hasEnded { upstream.end(trailers: earlyTrailers) }
  }

  private func wait(_ channel: ClientChannel) {
    waitingTicket = endpoint.wait(
      bytes: requestHeaders?.excessBytes ?? 0, timeout: requestHeaders?.timeout
    ) { [weak self] status in
      guard let self else { return }
      self.waitingTicket = nil
      if let status { self.fail(status) } else { self.start(on: channel) }
    }
    if waitingTicket == nil { fail(endpoint.tooManyWaiting) }
  }

  /// Ends the call with a status of ours: behind what the caller already has, if there is something.
  func fail(_ status: Status) {
    guard !isDone else { return }
    code = status.code
    finish()
    if downstream.hasSentHeaders {
      downstream.end(trailers: .trailers(status))
    } else {
      downstream.send(headers: .trailersOnly(status), endStream: true)
    }
    if !downstream.hasReceivedEnd { downstream.resetAfterEnd(.noError) }
    upstream?.reset(.cancel)
  }

  private func finish() {
    guard !isDone else { return }
    isDone = true
    server.meters.callEnds(method: route.method, code: code.rawValue)
    if let waitingTicket { endpoint.leave(waitingTicket) }
    observation?.abandon()
    connection?.ended(self)
    connection = nil
  }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {
    endpoint.answered()
    if endStream {
      code = headers.statusCode
      observation?.ended(headers)
    }
    downstream.send(headers: headers, endStream: endStream)
  }

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    if stream === downstream {
      server.meters.request(bytes: data.readableBytes)
      observation?.request(data)
      guard let upstream else { return hold(data) }
      upstream.send(data: data)
    } else {
      server.meters.answer(bytes: data.readableBytes)
      observation?.answer(data)
      downstream.send(data: data)
    }
  }

  private func hold(_ data: ByteBuffer) {
    // A copy: a slice would keep the whole read that it came with, of which only its own bytes are counted.
    if early == nil { early = ByteBuffer() }
    early?.writeImmutableBuffer(data)
    guard let waitingTicket else { return }
    if !endpoint.grow(waitingTicket, by: data.readableBytes) { fail(endpoint.tooManyWaiting) }
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) {
    if stream === downstream {
      if let upstream { upstream.end(trailers: trailers) } else { earlyTrailers = trailers }
    } else {
      code = trailers?.statusCode ?? .unknown
      if let trailers { observation?.ended(trailers) }
      downstream.end(trailers: trailers)
    }
  }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {
    if stream === downstream { upstream?.consume(count) } else { downstream.consume(count) }
  }

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    if stream === downstream { downstreamClosed(closure) } else { upstreamClosed(closure) }
  }

  private func downstreamClosed(_ closure: StreamClosure) {
    finish()
    switch closure {
    case .finished where downstream.hasReceivedEnd && downstream.hasSentEnd: break
    case .finished: upstream?.reset(.noError)
    case .reset(let code): upstream?.reset(code)
    case .refused, .connectionLost: upstream?.reset(.cancel)
    }
  }

  private func upstreamClosed(_ closure: StreamClosure) {
    guard !isDone else { return }
    let hasAnswer = upstream?.hasReceivedEnd ?? false
    upstream = nil
    switch closure {
    case .finished where hasAnswer:
      // The runtime answered before the request was complete and wants no more of it.
      if !downstream.hasReceivedEnd { downstream.resetAfterEnd(.noError) }
    case .reset(let code) where hasAnswer:
      if !downstream.hasReceivedEnd { downstream.resetAfterEnd(code) }
    case .connectionLost where hasAnswer:
      if !downstream.hasReceivedEnd { downstream.resetAfterEnd(.noError) }
    case .finished:
      reset(.internalError)
    case .reset(let code):
      reset(code)
    case .refused:
      // gRPC clients repeat by themselves what was provably not processed.
      reset(.refusedStream)
    case .connectionLost:
      fail(Status(.unavailable, "\(endpoint.text): the connection broke during the call"))
    }
  }

  private func reset(_ code: ErrorCode) {
    self.code = StatusCode(resetWith: code)
    finish()
    downstream.reset(code)
  }
}
