import HTTP2
import NIOCore
import NIOEmbedded

/// A client and a server connection whose bytes go to each other, without a socket: `exchange()` moves them
/// until neither has any.
final class ConnectedPair {
  let clientGroup: ConnectionGroup
  let serverGroup: ConnectionGroup
  private(set) var client: HTTP2Connection
  private(set) var server: HTTP2Connection
  private let clientChannel: EmbeddedChannel
  private let serverChannel: EmbeddedChannel

  private let heard = Heard()

  /// The server's side of each stream, in the order in which they were opened.
  var served: [Recorder] { heard.served }
  var requests: [HeaderBlock] { heard.requests }
  var isClientGoingAway: Bool { heard.isClientGoingAway }
  var closedConnections: Int { heard.closedConnections }

  init(bufferLimitBytes: Int = HTTP2Limits.bufferedBytes) throws {
    clientChannel = EmbeddedChannel()
    serverChannel = EmbeddedChannel()
    clientGroup = ConnectionGroup(eventLoop: clientChannel.eventLoop)
    serverGroup = ConnectionGroup(eventLoop: serverChannel.eventLoop, bufferLimitBytes: bufferLimitBytes)
    client = HTTP2Connection(role: .client, group: clientGroup, delegate: heard, confirmsWrites: true)
    server = HTTP2Connection(role: .server, group: serverGroup, delegate: heard)
    try clientChannel.pipeline.syncOperations.addHandler(client)
    try serverChannel.pipeline.syncOperations.addHandler(server)
    try clientChannel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
    try serverChannel.connect(to: SocketAddress(unixDomainSocketPath: "/server")).wait()
    try exchange()
  }

  // A channel and its pipeline hold each other until it is closed.
  deinit {
    clientChannel.close(promise: nil)
    serverChannel.close(promise: nil)
    // What is scheduled and never run would keep its loop: held acknowledgements, lingering.
    clientChannel.embeddedEventLoop.advanceTime(by: HTTP2Limits.lingering)
    serverChannel.embeddedEventLoop.advanceTime(by: HTTP2Limits.lingering)
  }

  /// Time passes with it, so that acknowledgements do not wait.
  func exchange() throws {
    var hasMoved = true
    while hasMoved {
      hasMoved = false
      clientChannel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
      serverChannel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
      while let bytes = try clientChannel.readOutbound(as: ByteBuffer.self) {
        hasMoved = true
        if serverChannel.isActive { try serverChannel.writeInbound(bytes) }
      }
      while let bytes = try serverChannel.readOutbound(as: ByteBuffer.self) {
        hasMoved = true
        if clientChannel.isActive { try clientChannel.writeInbound(bytes) }
      }
    }
  }

  /// What the server's connection writes, write by write, when the client's PING arrives; the client reads none of it.
  func writesAfterPing(then act: () throws -> Void = {}) throws -> [ByteBuffer] {
    var ping = ByteBuffer(bytes: [0, 0, 8, 6, 0, 0, 0, 0, 0])
    ping.writeInteger(UInt64(7))
    try serverChannel.writeInbound(ping)
    try act()
    serverChannel.embeddedEventLoop.run()
    var writes: [ByteBuffer] = []
    while let bytes = try serverChannel.readOutbound(as: ByteBuffer.self) { writes.append(bytes) }
    return writes
  }

  func passTime(_ time: TimeAmount) { serverChannel.embeddedEventLoop.advanceTime(by: time) }

  /// The server's process is gone.
  func dropServer() throws {
    serverChannel.close(promise: nil)
    clientChannel.close(promise: nil)
    try exchange()
  }

  /// Opens a stream with a small request and no body.
  func open(_ recorder: Recorder, path: String = "/a/b", endStream: Bool = true) throws -> HTTP2Stream? {
    let stream = client.open(Self.request(path), endStream: endStream, handler: recorder)
    try exchange()
    return stream
  }

  static func request(_ path: String) -> HeaderBlock {
    HeaderBlock([(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
  }

  static func response() -> HeaderBlock { HeaderBlock([(":status", "200")]) }
}

/// What both connections say. Not the pair itself, which a connection would keep alive until it is closed.
private final class Heard: HTTP2ConnectionDelegate {
  var served: [Recorder] = []
  var requests: [HeaderBlock] = []
  var isClientGoingAway = false
  var closedConnections = 0

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    let recorder = Recorder()
    recorder.stream = stream
    stream.handler = recorder
    served.append(recorder)
    requests.append(headers)
  }

  func connectionIsGoingAway(_ connection: HTTP2Connection) { isClientGoingAway = connection.role == .client }
  func connectionClosed(_ connection: HTTP2Connection) { closedConnections += 1 }
}
