internal import GRPC
internal import HTTP2
internal import NIOCore
internal import NIOPosix

/// A runtime that answers every call at once, or a plugin that does: the far end of the bench.
///
///     simulated-runtime <socket> [--answer-bytes <n>] [--plugin]
///
/// It serves until it is killed. `--answer-bytes` is the size of an answer's message, `RunPodSandbox` and what
/// RuntimeManager asks by itself excepted.
@main
enum SimulatedRuntime {
  static func main() throws {
    var arguments = CommandLine.arguments.dropFirst()
    guard let path = arguments.popFirst() else { fatalError("simulated-runtime: which socket?") }
    var answers = Answers()
    while let flag = arguments.popFirst() {
      switch flag {
      case "--plugin": answers.isPlugin = true
      case "--answer-bytes": answers.bytes = arguments.popFirst().flatMap(Int.init) ?? answers.bytes
      default: fatalError("simulated-runtime: \(flag) is not known")
      }
    }
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let server = try eventLoop.submit { [answers] in
      NIOLoopBound(Server(answers, eventLoop), eventLoop: eventLoop)
    }.wait()
    let listener = try ServerBootstrap(group: eventLoop)
      .childChannelOption(.writeBufferWaterMark, value: WireOptions.waterMark)
      .childChannelOption(.recvAllocator, value: WireOptions.receive)
      .childChannelOption(.maxMessagesPerRead, value: WireOptions.messagesPerRead)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try server.value.accepted(channel) }
      }
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
      .wait()
    try listener.closeFuture.wait()
  }
}

/// Answers every stream of every connection. Confined to its event loop.
private final class Server: HTTP2ConnectionDelegate, HTTP2StreamHandler {
  private let group: ConnectionGroup
  private let answer: ByteBuffer
  private let answersByMethod: [String: ByteBuffer]
  private let headers = HeaderBlock([(":status", "200"), ("content-type", "application/grpc")])
  private let trailers = HeaderBlock.trailers(Status(.ok, ""))
  private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
  /// Streams that get another answer than most.
  private var otherAnswers: [ObjectIdentifier: ByteBuffer] = [:]

  init(_ answers: Answers, _ eventLoop: any EventLoop) {
    group = ConnectionGroup(eventLoop: eventLoop, bufferLimitBytes: 1 << 30)
    answer = UnaryBody.body(of: answers.any)
    answersByMethod = answers.byMethod.mapValues { UnaryBody.body(of: $0) }
  }

  func accepted(_ channel: any Channel) throws {
    let connection = HTTP2Connection(role: .server, group: group, delegate: self)
    connections[ObjectIdentifier(connection)] = connection
    try channel.pipeline.syncOperations.addHandler(connection)
  }

  private func answer(_ stream: HTTP2Stream) {
    stream.send(headers: headers, endStream: false)
    stream.send(data: otherAnswers.removeValue(forKey: ObjectIdentifier(stream)) ?? answer)
    stream.end(trailers: trailers)
  }

  // MARK: HTTP2ConnectionDelegate

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    stream.handler = self
    let method = headers.value(of: ":path").flatMap { $0.utf8.split(separator: UInt8(ascii: "/")).last }
    if let other = answersByMethod[method.flatMap(String.init) ?? ""] { otherAnswers[ObjectIdentifier(stream)] = other }
    if endStream { answer(stream) }
  }

  func connectionIsReady(_ connection: HTTP2Connection) {}

  func connectionIsGoingAway(_ connection: HTTP2Connection) {}

  func connectionClosed(_ connection: HTTP2Connection) { connections[ObjectIdentifier(connection)] = nil }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {}

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) { stream.consume(data.readableBytes) }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) { answer(stream) }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {}

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) { otherAnswers[ObjectIdentifier(stream)] = nil }
}
