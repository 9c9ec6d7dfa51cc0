import HTTP2
import NIOCore
import Testing

@Suite struct HTTP2ConnectionTests {
  private let mebibyte = 1 << 20

  @Test func headerListsArriveInOrderWithDuplicates() throws {
    let pair = try ConnectedPair()
    let request = ConnectedPair.request("/service/method")
    request.append("x-b", "1")
    request.append("x-a", "2")
    request.append("x-b", "3")
    _ = pair.client.open(request, endStream: true, handler: Recorder())
    try pair.exchange()
    let fields = try #require(pair.requests.first).textFields.map { "\($0.name)=\($0.value)" }
    #expect(fields.dropFirst(4) == ["x-b=1", "x-a=2", "x-b=3"])
  }

  @Test func spacesAtTheEndsOfAValueAreKept() throws {
    let pair = try ConnectedPair()
    let request = ConnectedPair.request("/a/b")
    request.append("grpc-message", " a message that ends in a space ")
    _ = pair.client.open(request, endStream: true, handler: Recorder())
    try pair.exchange()
    #expect(pair.requests.first?.value(of: "grpc-message") == " a message that ends in a space ")
  }

  @Test func aFieldOf60KiBPassesBothWays() throws {
    let pair = try ConnectedPair()
    let value = String(repeating: "v", count: 60 << 10)
    let request = ConnectedPair.request("/a/b")
    request.append("x-large", value)
    let recorder = Recorder()
    _ = pair.client.open(request, endStream: true, handler: recorder)
    try pair.exchange()
    #expect(pair.requests.first?.value(of: "x-large") == value)
    let response = ConnectedPair.response()
    response.append("x-large", value)
    pair.served.first?.stream?.send(headers: response, endStream: true)
    try pair.exchange()
    #expect(recorder.headers?.value(of: "x-large") == value)
  }

  @Test func aHeaderListOver1MiBCostsItsStreamOnly() throws {
    let pair = try ConnectedPair()
    let large = ConnectedPair.request("/a/b")
    for index in 0..<20 { large.append("x-\(index)", String(repeating: "v", count: 60 << 10)) }
    let refused = Recorder()
    let other = Recorder()
    _ = pair.client.open(large, endStream: true, handler: refused)
    _ = try pair.open(other)
    #expect(refused.closure != nil)
    #expect(pair.served.count == 1)
    #expect(other.closure == nil)
  }

  @Test func bodyAndTrailersFollowTheHeaders() throws {
    let pair = try ConnectedPair()
    let recorder = Recorder()
    let stream = try #require(try pair.open(recorder, endStream: false))
    stream.send(data: ByteBuffer(string: "question"))
    stream.end()
    try pair.exchange()
    let served = try #require(pair.served.first)
    #expect(served.text == "question")
    #expect(served.hasEnded)
    served.stream?.send(headers: ConnectedPair.response(), endStream: false)
    served.stream?.send(data: ByteBuffer(string: "answer"))
    served.stream?.end(trailers: HeaderBlock([("grpc-status", "0")]))
    try pair.exchange()
    #expect(recorder.text == "answer")
    #expect(recorder.trailers?.value(of: "grpc-status") == "0")
    #expect(recorder.closure == .finished)
    #expect(served.closure == .finished)
  }

  @Test func aResetReachesTheOtherSide() throws {
    let pair = try ConnectedPair()
    let stream = try #require(try pair.open(Recorder(), endStream: false))
    stream.reset(.cancel)
    try pair.exchange()
    #expect(pair.served.first?.closure == .reset(.cancel))
    #expect(pair.client.openStreams == 0)
  }

  @Test func anUnreadStreamStallsAtItsWindowAndGoesOnWhenItIsRead() throws {
    let pair = try ConnectedPair()
    let stream = try #require(try pair.open(Recorder(), endStream: false))
    let served = try #require(pair.served.first)
    served.consumes = false
    stream.send(data: ByteBuffer(repeating: 0, count: 3 * mebibyte))
    try pair.exchange()
    #expect(served.receivedBytes == mebibyte)
    served.stream?.consume(mebibyte)
    try pair.exchange()
    #expect(served.receivedBytes == 2 * mebibyte)
  }

  @Test func eightUnreadStreamsDoNotStallAnother() throws {
    let pair = try ConnectedPair()
    for _ in 0..<8 {
      let stream = try #require(try pair.open(Recorder(), endStream: false))
      pair.served.last?.consumes = false
      stream.send(data: ByteBuffer(repeating: 0, count: 2 * mebibyte))
    }
    try pair.exchange()
    let stream = try #require(try pair.open(Recorder(), endStream: false))
    stream.send(data: ByteBuffer(string: "status?"))
    try pair.exchange()
    #expect(pair.served.last?.text == "status?")
  }

  @Test func beyondTheBufferLimitTheStreamUnreadLongestIsReset() throws {
    let pair = try ConnectedPair(bufferLimitBytes: 4 * mebibyte)
    let clients = try (0..<3).map { _ in
      let recorder = Recorder()
      recorder.consumes = false
      _ = try pair.open(recorder)
      return recorder
    }
    for served in pair.served {
      served.stream?.send(headers: ConnectedPair.response(), endStream: false)
      // One window leaves, the rest stays queued.
      served.stream?.send(data: ByteBuffer(repeating: 0, count: mebibyte + mebibyte * 3 / 2))
      try pair.exchange()
    }
    #expect(clients[0].closure == .reset(.enhanceYourCalm))
    #expect(clients[1].closure == nil)
    #expect(clients[2].closure == nil)
    #expect(pair.served[0].closure == .reset(.enhanceYourCalm))
    #expect(pair.serverGroup.bufferedBytes == 3 * mebibyte)
  }

  @Test func shuttingDownFinishesOpenStreamsThenCloses() throws {
    let pair = try ConnectedPair()
    let recorder = Recorder()
    _ = try pair.open(recorder)
    pair.server.shutDown()
    try pair.exchange()
    #expect(pair.isClientGoingAway)
    #expect(!pair.client.canOpenStreams)
    #expect(recorder.closure == nil)
    pair.served.first?.stream?.send(headers: ConnectedPair.response(), endStream: true)
    try pair.exchange()
    #expect(recorder.closure == .finished)
    #expect(pair.closedConnections >= 1)
  }

  @Test func anEarlyAnswerIsFollowedByItsReset() throws {
    let pair = try ConnectedPair()
    let recorder = Recorder()
    _ = try pair.open(recorder, endStream: false)
    let served = try #require(pair.served.first?.stream)
    served.send(headers: ConnectedPair.response(), endStream: true)
    served.resetAfterEnd(.noError)
    try pair.exchange()
    #expect(recorder.headers?.value(of: ":status") == "200")
    #expect(recorder.closure == .finished)
  }

  @Test func aLostConnectionClosesItsStreamsAndSaysWhetherTheRequestMayHaveArrived() throws {
    let pair = try ConnectedPair()
    let complete = Recorder()
    let unfinished = Recorder()
    _ = try pair.open(complete)
    _ = try pair.open(unfinished, endStream: false)
    try pair.dropServer()
    #expect(complete.closure == .connectionLost)
    #expect(complete.mayHaveArrived == true)
    #expect(unfinished.closure == .connectionLost)
    #expect(unfinished.mayHaveArrived == false)
    #expect(!pair.client.canOpenStreams)
  }

  @Test(arguments: [1, 8 << 10, 100 << 10])
  func aRequestOfAnySizeMayHaveArrivedOnceItIsWritten(bytes: Int) throws {
    let pair = try ConnectedPair()
    let recorder = Recorder()
    let stream = try #require(try pair.open(recorder, endStream: false))
    stream.send(data: ByteBuffer(repeating: 0, count: bytes))
    stream.end()
    try pair.exchange()
    #expect(pair.served.first?.hasEnded == true)
    try pair.dropServer()
    #expect(recorder.mayHaveArrived == true)
  }

  @Test func aStreamThatIsClosedIgnoresWhatIsAskedOfIt() throws {
    let pair = try ConnectedPair()
    let stream = try #require(try pair.open(Recorder(), endStream: false))
    stream.reset(.cancel)
    try pair.exchange()
    stream.send(data: ByteBuffer(string: "late"))
    stream.end()
    stream.consume(1)
    stream.reset(.cancel)
    try pair.exchange()
    #expect(!stream.isOpen)
    #expect(pair.clientGroup.bufferedBytes == 0)
  }

  // MARK: Acknowledgements

  @Test func anAcknowledgementLeavesWithTheNextFrame() throws {
    let pair = try ConnectedPair()
    _ = try pair.open(Recorder())
    let writes = try pair.writesAfterPing {
      pair.served.first?.stream?.send(headers: ConnectedPair.response(), endStream: true)
    }
    #expect(writes.map(frameTypes) == [[6, 1]])
  }

  @Test func anAcknowledgementAloneLeavesAfterAMillisecond() throws {
    let pair = try ConnectedPair()
    #expect(try pair.writesAfterPing().isEmpty)
    let writes = try pair.writesAfterPing { pair.passTime(.milliseconds(1)) }
    #expect(writes.map(frameTypes) == [[6, 6]])
  }

  @Test func manyAcknowledgementsDoNotWait() throws {
    let pair = try ConnectedPair()
    let writes = try (0..<16).flatMap { _ in try pair.writesAfterPing() }
    #expect(writes.map(frameTypes) == [[UInt8](repeating: 6, count: 16)])
  }

  /// The types of the frames in a write (RFC 9113, section 4.1).
  private func frameTypes(_ write: ByteBuffer) -> [UInt8] {
    var (write, types) = (write, [UInt8]())
    while let head = write.readBytes(length: 9) {
      types.append(head[3])
      write.moveReaderIndex(forwardBy: Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2]))
    }
    return types
  }
}
