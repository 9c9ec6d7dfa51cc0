import Accounts
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Admin

/// What becomes of connections as time passes; what they are answered is in Tests/Admin.
@Suite struct AdminConnectionTests {
  private let channel = EmbeddedChannel()
  private let book = AccountBook()

  private func serve() throws {
    let book = book
    let routes = RouteTable([
      AdminRoute(.GET, "/text") { _ in .now(.text("ok")) },
      AdminRoute(.GET, "/events") { _ in .events(book.events()) },
    ])
    try channel.pipeline.syncOperations.addHandlers([
      HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder()), AdminConnection(routes: routes, refusal: nil),
    ])
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/admin.sock")).wait()
  }

  private func say(_ text: String) throws {
    try channel.writeInbound(ByteBuffer(string: text))
  }

  private func pass(_ time: Duration) { channel.embeddedEventLoop.advanceTime(by: TimeAmount(time)) }

  private var said: String {
    var text = ""
    while let part = try? channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
    return text
  }

  @Test(arguments: ["", "GET /te", "GET /text HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"])
  func whoDoesNotFinishARequestIsHungUpOn(words: String) throws {
    try serve()
    try say(words)
    pass(AdminLimits.patience - .milliseconds(1))
    #expect(channel.isActive)
    pass(.milliseconds(1))
    #expect(!channel.isActive)
    #expect(said == "")
  }

  @Test func timeBeginsAnewWithEachAnswer() throws {
    try serve()
    for _ in 0..<5 {
      pass(AdminLimits.patience - .milliseconds(1))
      try say("GET /text HTTP/1.1\r\n\r\n")
      #expect(said.hasPrefix("HTTP/1.1 200 OK"))
    }
    pass(AdminLimits.patience)
    #expect(!channel.isActive)
  }

  @Test func whoDoesNotHangUpAfterTheLastAnswerIsHungUpOn() throws {
    try serve()
    try say("GET /text HTTP/1.1\r\nConnection: close\r\n\r\n")
    #expect(said.contains("connection: close"))
    pass(AdminLimits.linger)
    #expect(!channel.isActive)
  }

  @Test func whoFollowsEventsIsNotHungUpOnWhileNothingHappens() throws {
    try serve()
    try say("GET /events HTTP/1.1\r\n\r\n")
    #expect(said.contains("content-type: text/event-stream"))
    pass(.seconds(86_400))
    #expect(channel.isActive)
    // Its requests have no meaning any more.
    try say("GET /text HTTP/1.1\r\n\r\n")
    #expect(said == "")
    try channel.close().wait()
  }

  @Test func aSecondAnswerWaitsUntilTheFirstIsTaken() throws {
    try serve()
    channel.isWritable = false
    try say("GET /text HTTP/1.1\r\n\r\nGET /text HTTP/1.1\r\n\r\n")
    #expect(said == "")
    channel.isWritable = true
    channel.pipeline.fireChannelWritabilityChanged()
    #expect(said.components(of: "HTTP/1.1 200 OK") == 2)
  }

  @Test func tooManyRequestsAtOnceAreTheEnd() throws {
    try serve()
    channel.isWritable = false
    try? say(String(repeating: "GET /text HTTP/1.1\r\n\r\n", count: AdminLimits.pipelined + 1))
    #expect(!channel.isActive)
  }
}

extension String {
  fileprivate func components(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let found = rest.firstRange(of: part) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }
}
