import NIOCore
import NIOEmbedded
import Testing

@testable import HTTP2

@Suite final class OpenStreamsTests {
  private let group = ConnectionGroup(eventLoop: EmbeddedEventLoop())
  private let connection: HTTP2Connection

  init() { connection = HTTP2Connection(role: .client, group: group, delegate: nil) }

  /// It never had a channel, whose end would have told the group.
  deinit { group.remove(connection) }

  private func streams(_ count: Int32) -> [HTTP2Stream] {
    (0..<count).map { HTTP2Stream(connection: connection, id: 2 * $0 + 1) }
  }

  private func ids(_ open: OpenStreams) -> [Int32] { open.all.map(\.id).sorted() }

  @Test(arguments: 0..<5)
  func keepsAllButTheOneThatIsRemoved(removed: Int) {
    let streams = streams(5)
    var open = OpenStreams()
    for stream in streams { open.add(stream) }
    open.remove(streams[removed])
    #expect(ids(open) == [1, 3, 5, 7, 9].filter { $0 != streams[removed].id })
    for stream in open.all { #expect(stream.place.map { open.all[$0] === stream } == true) }
  }

  @Test func removingTwiceOrWhatIsNotThereDoesNothing() {
    let streams = streams(3)
    var open = OpenStreams()
    open.add(streams[0])
    open.add(streams[1])
    open.remove(streams[0])
    open.remove(streams[0])
    open.remove(streams[2])
    #expect(ids(open) == [3])
  }

  @Test func whatWasRemovedCanBeAddedAgain() {
    let stream = streams(1)[0]
    var open = OpenStreams()
    for _ in 0..<3 {
      open.add(stream)
      #expect(ids(open) == [1])
      open.remove(stream)
      #expect(ids(open) == [])
    }
  }
}
