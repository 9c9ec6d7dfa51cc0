import HTTP2
import NIOCore
import NIOEmbedded

/// One connection under test, of either role, on a channel in memory: the input says what its peer writes and what its
/// user does, in any order.
///
/// The first byte of an input is the behaviour of the streams, the second how the peer's bytes are cut into reads
/// (bit 7: the peer says nothing by itself, not even its preface). Then, step by step: what, an argument, and as many
/// bytes as the next byte says.
final class ScriptedConnection: HTTP2ConnectionDelegate {
  /// Small, so that inputs reach it.
  private static let bufferLimitBytes = 128 << 10
  /// SETTINGS_MAX_CONCURRENT_STREAMS of a server.
  private static let streamLimit = 1000

  let role: HTTP2Connection.Role
  let group: ConnectionGroup
  private let channel = EmbeddedChannel()
  private var connection: HTTP2Connection?
  private weak var watchedConnection: HTTP2Connection?
  private var input: ByteReader
  private let behaviour: UInt8
  private let readBytes: Int
  private(set) var streams: [WatchedStream] = []
  private var closedConnections = 0
  private var isPeerReading = true

  init(_ role: HTTP2Connection.Role, _ bytes: [UInt8]) throws {
    self.role = role
    input = ByteReader(bytes)
    behaviour = input.byte()
    let cutting = input.byte()
    readBytes = [Int.max, 1, 2, 3, 5, 9, 64, 1000][Int(cutting & 7)]
    group = ConnectionGroup(eventLoop: channel.eventLoop, bufferLimitBytes: Self.bufferLimitBytes)
    let connection = HTTP2Connection(role: role, group: group, delegate: nil, confirmsWrites: role == .client)
    self.connection = connection
    watchedConnection = connection
    connection.delegate = self
    try channel.pipeline.syncOperations.addHandler(connection)
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
    guard cutting & 0x80 == 0 else { return }
    if role == .server { receive(Frame.preface) }
    receive(Frame.bytes(Frame.settings))
  }

  /// Does all that the input says, and ends the connection if nothing else did.
  func run() throws {
    while !input.isAtEnd, channel.isActive {
      step(input.byte(), argument: input.byte(), input.shortBytes())
      read()
      try check()
    }
    try finish()
  }

  private func step(_ what: UInt8, argument: UInt8, _ bytes: [UInt8]) {
    // Four bits of a frame's flags are in use: END_STREAM or ACK, END_HEADERS, PADDED, PRIORITY.
    let flags = argument >> 4 & 1 | argument >> 3 & 4 | argument >> 3 & 8 | argument >> 2 & 0x20
    let id = UInt32(argument & 0xf)
    switch what {
    case 0...15: receive(Frame.bytes(what, flags: flags, stream: id, bytes))
    case 16: receive(Frame.bytes(Frame.headers, flags: flags | Frame.endHeaders, stream: id, headerBlock(bytes)))
    case 17:
      let trailers = Frame.trailerBlock(status: bytes)
      receive(Frame.bytes(Frame.headers, flags: Frame.endHeaders | Frame.endStream, stream: id, trailers))
    case 18: receive(bytes)
    case 19: receive(Frame.bytes(Frame.data, flags: flags, stream: id, Array(repeating: 0, count: 8000)))
    case 20: for number in 0..<UInt32(argument) { receive(newStream(1 + 2 * number)) }
    default: act(what, argument, bytes)
    }
  }

  private func headerBlock(_ bytes: [UInt8]) -> [UInt8] {
    role == .server ? Frame.requestBlock(path: bytes) : Frame.responseBlock + bytes
  }

  private func newStream(_ id: UInt32) -> [UInt8] {
    let block = headerBlock(role == .server ? [UInt8(ascii: "/")] : [])
    return Frame.bytes(Frame.headers, flags: Frame.endHeaders, stream: id, block)
  }

  /// What the user of the connection does.
  private func act(_ what: UInt8, _ argument: UInt8, _ bytes: [UInt8]) {
    let stream = streams.isEmpty ? nil : streams[Int(argument) % streams.count]
    switch what {
    case 21: open(endStream: argument & 1 == 1)
    case 22: stream?.send(bytes.count * 100)
    case 23: stream?.end(trailers: bytes.isEmpty ? nil : HeaderBlock([("grpc-status", "0")]))
    case 24: stream?.reset(ErrorCode(rawValue: UInt32(bytes.first ?? 8)))
    case 25: stream?.consume(bytes.count * 100)
    case 26: stream?.answer()
    case 27: connection?.shutDown()
    case 28: connection?.closeWhenIdle()
    case 29: connection?.close()
    case 30: setPeerReading(argument & 1 == 1)
    default: channel.embeddedEventLoop.run()
    }
  }

  private func open(endStream: Bool) {
    guard role == .client, let connection else { return }
    let watched = WatchedStream(.init(rawValue: behaviour), isServer: false)
    let request = HeaderBlock([
      (":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/a/b"),
    ])
    guard let stream = connection.open(request, endStream: endStream, handler: watched) else { return }
    watched.begin(stream)
    streams.append(watched)
  }

  private func setPeerReading(_ isReading: Bool) {
    isPeerReading = isReading
    channel.isWritable = isReading
    channel.pipeline.fireChannelWritabilityChanged()
  }

  private func receive(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty, channel.isActive {
      // A read that fails closes the connection; the error is reported to nobody else.
      _ = try? channel.writeInbound(ByteBuffer(bytes: rest.prefix(readBytes)))
      rest = rest.dropFirst(readBytes)
    }
  }

  /// The peer reads what was written for it.
  private func read() {
    channel.embeddedEventLoop.run()
    while isPeerReading, (try? channel.readOutbound(as: ByteBuffer.self)) != nil {}
  }

  // MARK: What must hold

  private func check() throws {
    try expect(group.bufferedBytes >= 0, "fewer than no bytes are buffered: \(group.bufferedBytes)")
    try expect(group.bufferedBytes <= Self.bufferLimitBytes, "\(group.bufferedBytes) bytes are buffered")
    try expect(connection?.openStreams ?? 0 <= Self.streamLimit, "\(connection?.openStreams ?? 0) streams are open")
    for stream in streams { if let failure = stream.failures.first { throw failure } }
  }

  private func finish() throws {
    channel.close(promise: nil)
    // What is scheduled and never run would keep the loop: held acknowledgements, lingering.
    channel.embeddedEventLoop.advanceTime(by: HTTP2Limits.lingering)
    try check()
    try expect(closedConnections == 1, "the delegate heard \(closedConnections) times that the connection is gone")
    try expect(connection?.openStreams == 0, "\(connection?.openStreams ?? 0) streams are left")
    try expect(group.bufferedBytes == 0, "\(group.bufferedBytes) bytes are left")
    try expect(streams.allSatisfy(\.isOver), "a stream was never closed")
    connection = nil
    try expect(watchedConnection == nil, "the connection is still there")
    for stream in streams {
      try expect(stream.stream != nil || stream.watched == nil, "a stream is still there")
    }
  }

  // MARK: HTTP2ConnectionDelegate

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    // The path has a say, so that streams of one connection differ.
    let path = headers.value(of: ":path")?.utf8.last ?? 0
    let watched = WatchedStream(.init(rawValue: behaviour ^ path), isServer: true)
    stream.handler = watched
    streams.append(watched)
    watched.begin(stream, endStream: endStream)
  }

  func connectionIsGoingAway(_ connection: HTTP2Connection) {}

  func connectionClosed(_ connection: HTTP2Connection) { closedConnections += 1 }
}
