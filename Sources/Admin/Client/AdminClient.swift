internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Asks a running daemon, over its admin socket: each question on a connection of its own.
package struct AdminClient: Sendable {
  private let socket: String
  private let patience: TimeAmount

  /// - Parameters:
  ///   - socket: The daemon's admin socket.
  ///   - patience: How long an answer may take.
  package init(socket: String, patience: Duration = .seconds(30)) {
    self.socket = socket
    self.patience = TimeAmount(patience)
  }

  /// Asks for a document.
  ///
  /// - Parameter path: The path's segments, as text; they are encoded here.
  package func get<Document: Decodable>(_ path: String...) async throws(AdminClientError) -> Document {
    try await document(.GET, path)
  }

  /// Tells the daemon what something is to be; gets what it is then.
  package func put<Document: Decodable>(_ content: String, at path: String...) async throws(AdminClientError)
    -> Document
  {
    try await document(.PUT, path, content)
  }

  /// Has the daemon do something; gets what it did.
  package func post<Document: Decodable>(_ path: String...) async throws(AdminClientError) -> Document {
    try await document(.POST, path)
  }

  private func document<Document: Decodable>(
    _ method: HTTPMethod, _ path: [String], _ content: String = ""
  ) async throws(AdminClientError) -> Document {
    let answer = try await answer(method, path, content)
    do {
      return try JSONDecoder().decode(Document.self, from: Data(answer.readableBytesView))
    } catch {
      throw .broken(socket: socket, reason: "its answer is not what this version of runtime-manager understands")
    }
  }

  /// What it means that the daemon has ended a stream.
  package var ended: AdminClientError { .broken(socket: socket, reason: "it has ended") }

  /// One text.
  package func text(_ path: String...) async throws(AdminClientError) -> String {
    String(buffer: try await answer(.GET, path, ""))
  }

  /// Events as they happen, until the daemon ends the stream: because it ends, or because `take` was too slow, which the
  /// last event then says. Cancelling the task ends it as well.
  ///
  /// - Parameter take: Called with each event; the next one waits for it.
  package func events(_ take: (AdminEvent) async throws -> Void) async throws {
    do {
      try await readEvents(take)
    } catch let error where error is HTTPParserError || error is IOError || error is ChannelError {
      // It hung up in the middle of the stream, which has no end of its own.
      throw ended
    }
  }

  private func readEvents(_ take: (AdminEvent) async throws -> Void) async throws {
    try await exchange(.GET, ["v1", "events"], "") { answer, deadline in
      var parser = EventParser()
      for try await part in answer {
        switch part {
        case .head(let head):
          deadline.cancel()
          guard head.status == .ok else { throw refusal(head, ByteBuffer()) }
        case .body(let bytes):
          for event in parser.events(in: bytes) { try await take(event) }
        case .end: return
        }
      }
    }
  }

  // MARK: One exchange

  private func answer(
    _ method: HTTPMethod, _ path: [String], _ content: String
  ) async throws(AdminClientError) -> ByteBuffer {
    do {
      return try await exchange(method, path, content) { answer, _ in
        var head: HTTPResponseHead?
        var content = ByteBuffer()
        for try await part in answer {
          switch part {
          case .head(let found): head = found
          case .body(let bytes):
            guard content.readableBytes + bytes.readableBytes <= AdminLimits.answerBytes else {
              throw AdminClientError.broken(socket: socket, reason: "its answer has no end")
            }
            content.writeImmutableBuffer(bytes)
          case .end:
            guard let head, head.status != .ok else { return content }
            throw refusal(head, content)
          }
        }
        throw AdminClientError.broken(socket: socket, reason: "it hung up without a complete answer")
      }
    } catch let error as AdminClientError {
      throw error
    } catch {
      throw .broken(socket: socket, reason: "\(error)")
    }
  }

  private func refusal(_ head: HTTPResponseHead, _ content: ByteBuffer) -> AdminClientError {
    let document = try? JSONDecoder().decode(ErrorDocument.self, from: Data(content.readableBytesView))
    let message = document?.error ?? "\(head.status)"
    if head.status == .forbidden { return .notPermitted(socket: socket, reason: message) }
    return .refused(status: head.status.code, message: message, matches: document?.matches ?? [])
  }

  private func exchange<Result: Sendable>(
    _ method: HTTPMethod, _ path: [String], _ content: String,
    _ read: (NIOAsyncChannelInboundStream<HTTPClientResponsePart>, Scheduled<Void>) async throws -> Result
  ) async throws -> Result {
    let connection = try await connect()
    let deadline = connection.channel.eventLoop.scheduleTask(in: patience) {
      connection.channel.close(promise: nil)
    }
    defer { deadline.cancel() }
    return try await connection.executeThenClose { answer, request in
      var head = HTTPRequestHead(
        version: .http1_1, method: method, uri: "/" + path.map(PathSegment.encoded).joined(separator: "/"))
      head.headers.add(name: "host", value: "localhost")
      head.headers.add(name: "connection", value: "close")
      head.headers.add(name: "content-length", value: String(content.utf8.count))
      // At once: the daemon may answer and hang up as soon as it has the last byte, before an end that has none is written.
      try await request.write(
        contentsOf: [.head(head), .body(.byteBuffer(ByteBuffer(string: content))), .end(nil)])
      return try await read(answer, deadline)
    }
  }

  private func connect() async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
    do {
      return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(unixDomainSocketPath: socket) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
          }
        }
    } catch let error as IOError {
      throw AdminClientError(error, socket: socket)
    }
  }
}

extension AdminClientError {
  fileprivate init(_ error: IOError, socket: String) {
    let reason = String(cString: strerror(error.errnoCode))
    switch error.errnoCode {
    case EACCES, EPERM: self = .notPermitted(socket: socket, reason: reason)
    default: self = .notRunning(socket: socket, reason: reason)
    }
  }
}
