internal import GRPC
internal import HTTP2
internal import NIOCore
internal import NIOPosix

/// Answers every stream of every connection. Confined to its event loop.
final class Server: HTTP2ConnectionDelegate, HTTP2StreamHandler {
  /// A call whose answer is more than bytes that are ready.
  private struct Asked {
    var method: String
    var body = ByteBuffer()
  }

  private let path: String
  private let eventLoop: any EventLoop
  private let group: ConnectionGroup
  private let answer: ByteBuffer
  private let answersByMethod: [String: ByteBuffer]
  private let headers = HeaderBlock([(":status", "200"), ("content-type", "application/grpc")])
  private let trailers = HeaderBlock.trailers(Status(.ok, ""))
  private var listener: (any Channel)?
  private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
  private var inventory: Inventory?
  private let isPlugin: Bool
  /// How often a plugin was asked, by method; a runtime's inventory counts by itself.
  private var calls: [String: Int] = [:]
  /// Streams that get another answer than most.
  private var otherAnswers: [ObjectIdentifier: ByteBuffer] = [:]
  private var asked: [ObjectIdentifier: Asked] = [:]
  /// Streams of `GetContainerEvents`.
  private var listeners: [ObjectIdentifier: HTTP2Stream] = [:]

  init(_ flags: Flags, _ eventLoop: any EventLoop) {
    path = flags.path
    self.eventLoop = eventLoop
    group = ConnectionGroup(eventLoop: eventLoop, bufferLimitBytes: 1 << 30)
    answer = UnaryBody.body(of: flags.answers.any)
    answersByMethod = flags.answers.byMethod.mapValues { UnaryBody.body(of: $0) }
    inventory = flags.inventory
    isPlugin = flags.answers.isPlugin
  }

  private var counts: String { inventory?.counts ?? "{\"calls\": \(JSONText.counts(calls))}" }

  func serve() -> EventLoopFuture<Void> {
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    return ServerBootstrap(group: eventLoop)
      .childChannelOption(.writeBufferWaterMark, value: WireOptions.waterMark)
      .childChannelOption(.recvAllocator, value: WireOptions.receive)
      .childChannelOption(.maxMessagesPerRead, value: WireOptions.messagesPerRead)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try confined.value.accepted(channel) }
      }
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
      .map { confined.value.listener = $0 }
  }

  private func accepted(_ channel: any Channel) throws {
    let connection = HTTP2Connection(role: .server, group: group, delegate: self)
    connections[ObjectIdentifier(connection)] = connection
    try channel.pipeline.syncOperations.addHandler(connection)
  }

  /// Cuts every connection and is away for a while, as a runtime that keeps what it knows on disk.
  private func restart(after time: TimeAmount) {
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    for connection in connections.values { connection.close() }
    listener?.close(promise: nil)
    eventLoop.scheduleTask(in: time) { _ = confined.value.serve() }
  }

  // MARK: Answering

  private func answer(_ stream: HTTP2Stream) {
    if let call = asked.removeValue(forKey: ObjectIdentifier(stream)) { return answer(stream, call) }
    send(otherAnswers.removeValue(forKey: ObjectIdentifier(stream)) ?? answer, on: stream)
  }

  private func answer(_ stream: HTTP2Stream, _ call: Asked) {
    guard let message = try? UnaryBody.message(in: call.body) else {
      return refuse(stream, Status(.invalidArgument, "not one message"))
    }
    switch call.method {
    case "GetContainerEvents":
      stream.send(headers: headers, endStream: false)
      listeners[ObjectIdentifier(stream)] = stream
    case "Counts":
      send(UnaryBody.body(of: Array(counts.utf8)), on: stream)
    case "Restart":
      let milliseconds = Int64(String(buffer: message)) ?? 0
      send(UnaryBody.body(of: []), on: stream)
      // The answer leaves first.
      let confined = NIOLoopBound(self, eventLoop: eventLoop)
      eventLoop.scheduleTask(in: .milliseconds(1)) { confined.value.restart(after: .milliseconds(milliseconds)) }
    default:
      do throws(Status) {
        guard let answer = try inventory?.answer(call.method, Array(message.readableBytesView)) else {
          return refuse(stream, Status(.unimplemented, call.method))
        }
        send(UnaryBody.body(of: answer), on: stream)
      } catch {
        refuse(stream, error)
      }
      tell(inventory?.takeEvents() ?? [])
    }
  }

  private func tell(_ events: [[UInt8]]) {
    for event in events {
      let body = UnaryBody.body(of: event)
      for stream in listeners.values { stream.send(data: body) }
    }
  }

  private func send(_ body: ByteBuffer, on stream: HTTP2Stream) {
    stream.send(headers: headers, endStream: false)
    stream.send(data: body)
    stream.end(trailers: trailers)
  }

  private func refuse(_ stream: HTTP2Stream, _ status: Status) {
    stream.send(headers: .trailersOnly(status), endStream: true)
  }

  // MARK: HTTP2ConnectionDelegate

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    stream.handler = self
    let path = headers.value(of: ":path") ?? ""
    let method = path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap(String.init) ?? ""
    if inventory?.knows(method) == true || path.utf8.starts(with: "/bench.Control/".utf8) {
      asked[ObjectIdentifier(stream)] = Asked(method: method)
    } else if let other = answersByMethod[method] {
      otherAnswers[ObjectIdentifier(stream)] = other
    }
    if isPlugin { calls[method, default: 0] += 1 }
    if endStream { answer(stream) }
  }

  func connectionIsReady(_ connection: HTTP2Connection) {}

  func connectionIsGoingAway(_ connection: HTTP2Connection) {}

  func connectionClosed(_ connection: HTTP2Connection) { connections[ObjectIdentifier(connection)] = nil }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {}

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    stream.consume(data.readableBytes)
    if !asked.isEmpty { asked[ObjectIdentifier(stream)]?.body.writeImmutableBuffer(data) }
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) { answer(stream) }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {}

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    otherAnswers[ObjectIdentifier(stream)] = nil
    asked[ObjectIdentifier(stream)] = nil
    listeners[ObjectIdentifier(stream)] = nil
  }
}
