/// The streams of a connection in no order, each of which knows its place: adding and removing one costs no hash.
struct OpenStreams {
  private(set) var all: [HTTP2Stream] = []

  mutating func add(_ stream: HTTP2Stream) {
    stream.place = all.count
    all.append(stream)
  }

  /// Does nothing if the stream is not here.
  mutating func remove(_ stream: HTTP2Stream) {
    guard let place = stream.place, place < all.count, all[place] === stream else { return }
    let last = all.removeLast()
    if last !== stream {
      all[place] = last
      last.place = place
    }
    stream.place = nil
  }
}
