import HTTP2
import NIOCore

/// One stream under test: hears its events, checks their order, and does something of its own on each.
final class WatchedStream: HTTP2StreamHandler {
  /// What the user of the stream does. Chosen by the input.
  struct Behaviour: OptionSet {
    let rawValue: UInt8
    /// Gives the window back at once; otherwise never.
    static let consumes = Behaviour(rawValue: 1 << 0)
    /// Sends back what it receives.
    static let echoes = Behaviour(rawValue: 1 << 1)
    /// Server: answers when the request opens, not when it ends.
    static let answersEarly = Behaviour(rawValue: 1 << 2)
    /// Sends more than a window.
    static let sendsMuch = Behaviour(rawValue: 1 << 3)
    /// Ends with trailers.
    static let sendsTrailers = Behaviour(rawValue: 1 << 4)
    /// Resets the stream behind its own end.
    static let resetsAfterEnd = Behaviour(rawValue: 1 << 5)
    /// Resets the stream at the first DATA.
    static let resetsAtData = Behaviour(rawValue: 1 << 6)
    /// Holds on to the stream when it is over.
    static let staysWithStream = Behaviour(rawValue: 1 << 7)
  }

  private let behaviour: Behaviour
  private let isServer: Bool
  private(set) var stream: HTTP2Stream?
  private(set) weak var watched: HTTP2Stream?
  private(set) var failures: [PropertyFailure] = []
  private var hasHeaders: Bool
  private var hasEnded = false
  private(set) var isOver = false
  private var unsentBytes = 0

  init(_ behaviour: Behaviour, isServer: Bool) {
    self.behaviour = behaviour
    self.isServer = isServer
    hasHeaders = isServer
  }

  /// The stream is there. Server: with its request.
  func begin(_ stream: HTTP2Stream, endStream: Bool = false) {
    self.stream = stream
    watched = stream
    hasEnded = isServer && endStream
    guard isServer else { return }
    if behaviour.contains(.answersEarly) || endStream { answer() }
  }

  func send(_ count: Int) { send(ByteBuffer(repeating: 7, count: count)) }

  private func send(_ data: ByteBuffer) {
    guard let stream, !isOver else { return }
    let before = stream.queuedBytes
    stream.send(data: data)
    // Over the group's limit the stream is reset at once, and this is over.
    if !isOver { unsentBytes += stream.queuedBytes - before }
  }

  func end(trailers: HeaderBlock?) { stream?.end(trailers: trailers) }

  func consume(_ count: Int) { stream?.consume(count) }

  /// What happens next on the stream is nobody's to hear.
  func reset(_ code: ErrorCode) {
    guard let stream, stream.isOpen else { return }
    isOver = true
    stream.reset(code)
    letGo()
  }

  /// Server: the whole answer.
  func answer() {
    guard let stream, !isOver, !stream.hasSentHeaders else { return }
    stream.send(headers: HeaderBlock([(":status", "200"), ("content-type", "application/grpc")]), endStream: false)
    send(behaviour.contains(.sendsMuch) ? 100_000 : 10)
    stream.end(trailers: behaviour.contains(.sendsTrailers) ? HeaderBlock([("grpc-status", "0")]) : nil)
    if behaviour.contains(.resetsAfterEnd) { stream.resetAfterEnd(.noError) }
  }

  private func letGo() { if !behaviour.contains(.staysWithStream) { stream = nil } }

  private func note(_ condition: Bool, _ what: String) {
    if !condition { failures.append(PropertyFailure(description: what)) }
  }

  // MARK: HTTP2StreamHandler

  func stream(_ stream: HTTP2Stream, receivedHeaders headers: HeaderBlock, endStream: Bool) {
    note(!isOver && !hasHeaders && !hasEnded, "a header block out of turn")
    hasHeaders = true
    hasEnded = endStream
  }

  func stream(_ stream: HTTP2Stream, receivedData data: ByteBuffer) {
    note(!isOver && hasHeaders && !hasEnded, "DATA out of turn")
    note(data.readableBytes > 0, "an event of no DATA")
    if behaviour.contains(.consumes) { stream.consume(data.readableBytes) }
    if behaviour.contains(.echoes), !isServer || stream.hasSentHeaders { send(data) }
    if behaviour.contains(.resetsAtData) { reset(.cancel) }
  }

  func stream(_ stream: HTTP2Stream, receivedEnd trailers: HeaderBlock?) {
    note(!isOver && hasHeaders && !hasEnded, "an end out of turn")
    hasEnded = true
    if isServer && !behaviour.contains(.answersEarly) { answer() }
  }

  func stream(_ stream: HTTP2Stream, sentBytes count: Int) {
    unsentBytes -= count
    note(!isOver && unsentBytes >= 0, "more bytes have left than were given")
  }

  func stream(_ stream: HTTP2Stream, closed closure: StreamClosure) {
    note(!isOver, "closed twice, or after a reset of our own")
    isOver = true
    letGo()
  }
}
