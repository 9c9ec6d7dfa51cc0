internal import GRPC
internal import HTTP2
internal import Meters
internal import NIOCore
internal import RuntimeDispatcher

/// A call whose one request message is read whole, because plugins may be asked about it.
///
/// Its window is given back while it is collected. When it is complete, an ``Exchange`` does what the verb
/// needs and its answer is sent. The task of the exchange is owned here: it is cancelled when the caller
/// leaves before the runtime has answered, and the connection waits for it before it closes.
// Unchecked, because it is confined to the event loop, on whose executor its task runs.
final class CollectedCall: HTTP2StreamHandler, @unchecked Sendable {
  private let stream: HTTP2Stream
  private let headers: HeaderBlock
  private let verb: Verb
  private let version: CRIVersion
  /// By which it is counted.
  private let method: Int
  private let server: CallServer
  private weak var connection: KubeletConnection?
  private let channel: ClientChannel
  private let deadline: ContinuousClock.Instant?
  private var body = ByteBuffer()
  /// What of the header list is counted as collected.
  private var headerBytes = 0
  private var waitingTicket: UInt64?
  private var exchange: Exchange?
  private var task: Task<Void, Never>?
  private var isAnswered = false
  /// How it ended; of a call whose caller leaves, what the caller made of it.
  private var code = StatusCode.cancelled
  private var isCounted = false

  init(
    _ stream: HTTP2Stream, _ headers: HeaderBlock, verb: Verb, version: CRIVersion, method: Int, server: CallServer,
    connection: KubeletConnection, channel: ClientChannel
  ) {
    self.stream = stream
    self.headers = headers
    self.verb = verb
    self.version = version
    self.method = method
    self.server = server
    self.connection = connection
    self.channel = channel
    deadline = headers.timeout.map { server.clock.now + $0 }
  }

  /// To be called once, when everybody who has to knows the call.
  func start() {
    guard server.collect(headers.listBytes) else { return refuse(Self.tooMuchCollected) }
    headerBytes = headers.listBytes
  }

  private static let tooMuchCollected = Status(.resourceExhausted, "too many large requests are being collected")

  /// Ends the call with a status of ours, whatever it is doing.
  func cut(_ status: Status) {
    task?.cancel()
    answer(status)
    if task == nil { over() }
  }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {}

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    let count = data.readableBytes
    stream.consume(count)
    server.meters.request(bytes: count)
    guard !isAnswered, task == nil else { return }
    guard body.readableBytes + count <= ServerLimits.messageBytes + UnaryBody.prefixBytes else {
      return refuse(Status(.resourceExhausted, "the request is larger than \(ServerLimits.messageBytes) bytes"))
    }
    guard server.collect(count) else {
      return refuse(Self.tooMuchCollected)
    }
    body.writeImmutableBuffer(data)
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) {
    guard !isAnswered, task == nil else { return }
    if let encoding = headers.value(of: "grpc-encoding"), encoding != "identity" {
      return refuseCompressed("grpc-encoding \(encoding)")
    }
    do throws(UnaryBody.Malformed) {
      start(message: try UnaryBody.message(in: body))
    } catch {
      switch error {
      case .compressed: refuseCompressed("a compressed message")
      case .empty: refuse(Status(.unimplemented, "\(verb.rawValue): the request has no message"))
      case .severalMessages: refuse(Status(.unimplemented, "\(verb.rawValue): the request has several messages"))
      case .truncated: refuse(Status(.internalError, "\(verb.rawValue): the request's message is cut short"))
      }
    }
  }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {}

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    isAnswered = true
    guard let exchange else { return over() }
    // Post hooks are about what has happened: they go on without a caller.
    if !exchange.isPastRuntime { task?.cancel() }
  }

  // MARK: Running

  /// Waits for a runtime that has never answered, then runs.
  private func start(message: ByteBuffer) {
    let endpoint = server.runtimeEndpoint
    guard !endpoint.hasAnswered else { return run(message: message) }
    let timeout = deadline.map { server.clock.left(until: $0) }
    let bytes = headers.excessBytes + body.readableBytes
    waitingTicket = endpoint.wait(bytes: bytes, timeout: timeout) { [weak self] status in
      guard let self else { return }
      self.waitingTicket = nil
      if let status { self.refuse(status) } else { self.run(message: message) }
    }
    if waitingTicket == nil { refuse(endpoint.tooManyWaiting) }
  }

  private func run(message: ByteBuffer) {
    let exchange = Exchange(
      verb: verb, version: version, headers: headers, body: body, message: message, deadline: deadline,
      runtime: channel, server: server)
    self.exchange = exchange
    task = Task(executorPreference: server.group.executor) {
      CrashStep.collected.pass(exchange.verb)
      do throws(CallEnd) {
        let answer = try await exchange.run()
        await exchange.settleWithSuccessor()
        self.answer(answer)
      } catch {
        await exchange.settleWithSuccessor()
        switch error {
        case .status(let status): self.answer(status)
        case .reset(let code): self.reset(code)
        }
      }
      // Behind the flush of the answer.
      self.server.group.eventLoop.execute {
        CrashStep.replied.pass(exchange.verb)
        exchange.settle()
        CrashStep.settled.pass(exchange.verb)
      }
      self.over()
    }
  }

  private func answer(_ answer: UnaryAnswer) {
    guard !isAnswered else { return }
    isAnswered = true
    code = (answer.trailers ?? answer.headers).statusCode
    server.meters.answer(bytes: answer.body.readableBytes)
    if answer.trailers == nil, answer.body.readableBytes == 0 {
      stream.send(headers: answer.headers, endStream: true)
    } else {
      stream.send(headers: answer.headers, endStream: false)
      stream.send(data: answer.body)
      stream.end(trailers: answer.trailers)
    }
  }

  private func answer(_ status: Status) {
    answer(UnaryAnswer(headers: .trailersOnly(status), body: ByteBuffer(), trailers: nil))
  }

  private func reset(_ code: ErrorCode) {
    guard !isAnswered else { return }
    isAnswered = true
    self.code = StatusCode(resetWith: code)
    stream.reset(code)
  }

  /// Answers before anything was asked of anybody.
  private func refuse(_ status: Status) {
    answer(status)
    if !stream.hasReceivedEnd { stream.resetAfterEnd(.noError) }
    over()
  }

  private func refuseCompressed(_ what: String) {
    let headers = HeaderBlock.trailersOnly(Status(.unimplemented, "\(verb.rawValue): \(what) cannot be read here"))
    headers.append("grpc-accept-encoding", "identity")
    answer(UnaryAnswer(headers: headers, body: ByteBuffer(), trailers: nil))
    over()
  }

  private func over() {
    if !isCounted {
      isCounted = true
      server.meters.callEnds(method: method, code: code.rawValue)
    }
    if let waitingTicket { server.runtimeEndpoint.leave(waitingTicket) }
    _ = server.collect(-headerBytes - body.readableBytes)
    headerBytes = 0
    body = ByteBuffer()
    connection?.ended(self)
    connection = nil
  }
}
