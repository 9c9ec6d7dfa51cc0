package import HTTP2
package import NIOCore

extension ClientChannel {
  /// One unary call. Must run on the event loop's executor, where its header blocks must also end.
  ///
  /// - Parameters:
  ///   - headers: The request's header block; `grpc-timeout` in it is what the server is told.
  ///   - body: The request's DATA, length prefix included.
  ///   - deadline: When we stop waiting and reset the stream; nil waits for ever.
  ///   - answerLimitBytes: The most DATA that is taken.
  /// - Returns: The server's answer, whatever its status.
  /// - Throws: ``CallFailure`` if there is none. The call is never repeated here.
  package func unary(
    _ headers: HeaderBlock, _ body: ByteBuffer, deadline: NIODeadline?, answerLimitBytes: Int
  ) async throws(CallFailure) -> UnaryAnswer {
    group.eventLoop.assertInEventLoop()
    let exchange = UnaryExchange(
      channel: self, headers: headers, body: body, deadline: deadline, answerLimitBytes: answerLimitBytes)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { exchange.start($0) }
    } onCancel: {
      group.eventLoop.execute { exchange.fail(.cancelled) }
    }
    return try result.get()
  }
}

/// One unary call while it is under way.
// Unchecked, because it is confined to the channel's event loop: `start` and `fail` are called there only.
private final class UnaryExchange: HTTP2StreamHandler, @unchecked Sendable {
  typealias Outcome = Result<UnaryAnswer, CallFailure>

  private let channel: ClientChannel
  private let requestHeaders: HeaderBlock
  private let requestBody: ByteBuffer
  private let deadline: NIODeadline?
  private let answerLimitBytes: Int
  private var continuation: CheckedContinuation<Outcome, Never>?
  private var outcome: Outcome?
  private var timer: Scheduled<Void>?
  private var stream: HTTP2Stream?
  private var headers: HeaderBlock?
  private var body = ByteBuffer()

  init(
    channel: ClientChannel, headers: HeaderBlock, body: ByteBuffer, deadline: NIODeadline?, answerLimitBytes: Int
  ) {
    self.channel = channel
    requestHeaders = headers
    requestBody = body
    self.deadline = deadline
    self.answerLimitBytes = answerLimitBytes
  }

  func start(_ continuation: CheckedContinuation<Outcome, Never>) {
    // Cancelled before it began.
    if let outcome { return continuation.resume(returning: outcome) }
    self.continuation = continuation
    if let deadline {
      timer = channel.group.eventLoop.scheduleTask(deadline: deadline) { self.fail(.deadlineExceeded) }
    }
    channel.withConnection { connection in
      switch connection {
      case .success(let connection): self.send(on: connection)
      case .failure(let failure): self.finish(.failure(failure))
      }
    }
  }

  private func send(on connection: HTTP2Connection) {
    guard outcome == nil else { return }
    guard let stream = connection.open(requestHeaders, endStream: false, handler: self) else {
      return finish(.failure(.notProcessed))
    }
    self.stream = stream
    stream.send(data: requestBody)
    stream.end()
  }

  /// Gives up: resets the stream and ends the call with `failure`.
  func fail(_ failure: CallFailure) {
    guard outcome == nil else { return }
    stream?.reset(.cancel)
    finish(.failure(failure))
  }

  private func finish(_ outcome: Outcome) {
    guard self.outcome == nil else { return }
    self.outcome = outcome
    timer?.cancel()
    timer = nil
    stream = nil
    continuation?.resume(returning: outcome)
    continuation = nil
  }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {
    self.headers = headers
    if endStream { answered(stream, trailers: nil) }
  }

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    stream.consume(data.readableBytes)
    guard body.readableBytes + data.readableBytes <= answerLimitBytes else {
      return fail(.tooLarge(limitBytes: answerLimitBytes))
    }
    if body.readableBytes == 0 {
      body = data
    } else {
      body.writeImmutableBuffer(data)
    }
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) { answered(stream, trailers: trailers) }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {}

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    switch closure {
    case .finished: finish(.failure(.connectionLost))
    case .reset(let code): finish(.failure(.reset(code)))
    case .refused: finish(.failure(.notProcessed))
    case .connectionLost: finish(.failure(stream.mayHaveArrived ? .connectionLost : .notProcessed))
    }
  }

  private func answered(_ stream: HTTP2Stream, trailers: HeaderBlock?) {
    guard let headers else { return fail(.reset(.protocolError)) }
    // The server wants no more of the request.
    if !stream.hasSentEnd { stream.reset(.noError) }
    finish(.success(UnaryAnswer(headers: headers, body: body, trailers: trailers)))
  }
}
