import Accounts
import NIOCore
import Testing

@testable import Admin

@Suite struct EventParserTests {
  @Test(arguments: [1, 2, 7, 100_000])
  func whatIsSentIsReadInWhateverPiecesItComes(pieceBytes: Int) async throws {
    let book = AccountBook()
    var filed = book.events().makeAsyncIterator()
    let account = Account(verb: "CreateContainer", pod: PodIdentity(namespace: "a", name: "b\n\nc", uid: "u"))
    book.file(account)
    let event = try #require(await filed.next())
    let sent = ServerSentEvent(event).bytes + ServerSentEvent.missed(7).bytes
    var parser = EventParser()
    var events: [AdminEvent] = []
    for start in stride(from: 0, to: sent.count, by: pieceBytes) {
      events += parser.events(in: ByteBuffer(bytes: sent[start..<min(start + pieceBytes, sent.count)]))
    }
    #expect(events == [.call(CallDocument(account)), .missed(7)])
  }

  @Test func anUnknownEventIsPassedOver() {
    var parser = EventParser()
    let known = "event: missed\ndata: {\"missed\":1}\n\n"
    #expect(parser.events(in: ByteBuffer(string: "event: other\ndata: {}\n\n" + known)) == [.missed(1)])
    #expect(parser.events(in: ByteBuffer(string: ": comment\n\nevent: call\ndata: no JSON\n\n")).isEmpty)
  }
}
