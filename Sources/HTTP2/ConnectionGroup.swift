package import NIOCore

/// What the connections of one event loop share: when to flush, and how much may be buffered.
///
/// Frames submitted while a read is being handled leave in one write per connection when that read has
/// been parsed; those submitted at other times leave at the end of the event loop's turn. Confined to its
/// event loop.
// Unchecked, because it is confined to that event loop; only the two immutable members are used elsewhere.
package final class ConnectionGroup: @unchecked Sendable {
  package let eventLoop: any EventLoop
  /// For the tasks of calls.
  package let executor: EventLoopExecutor
  /// DATA accepted from one peer and not yet written to the other, all streams together.
  package private(set) var bufferedBytes = 0
  private let bufferLimitBytes: Int
  private var unflushed: [HTTP2Connection] = []
  private var isReading = false
  private var isFlushScheduled = false
  private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
  private var tick: UInt64 = 0

  package init(eventLoop: any EventLoop, bufferLimitBytes: Int = HTTP2Limits.bufferedBytes) {
    self.eventLoop = eventLoop
    executor = EventLoopExecutor(eventLoop)
    self.bufferLimitBytes = bufferLimitBytes
  }

  func add(_ connection: HTTP2Connection) { connections[ObjectIdentifier(connection)] = connection }
  func remove(_ connection: HTTP2Connection) { connections[ObjectIdentifier(connection)] = nil }

  func beginRead() { isReading = true }

  func endRead() {
    isReading = false
    flush()
  }

  func needsFlush(_ connection: HTTP2Connection) {
    unflushed.append(connection)
    guard !isReading, !isFlushScheduled else { return }
    isFlushScheduled = true
    eventLoop.execute { self.flush() }
  }

  private func flush() {
    isFlushScheduled = false
    // A flush may make further connections ready (bytes that left give windows back).
    while !unflushed.isEmpty {
      let ready = unflushed
      unflushed.removeAll(keepingCapacity: true)
      for connection in ready { connection.flush() }
    }
  }

  /// A moment on this event loop, to tell which of two streams moved last.
  func nextTick() -> UInt64 {
    tick += 1
    return tick
  }

  func buffered(_ bytes: Int) {
    bufferedBytes += bytes
    while bufferedBytes > bufferLimitBytes, let victim = streamUnreadLongest() {
      victim.connection?.fail(victim, .enhanceYourCalm)
    }
  }

  func unbuffered(_ bytes: Int) { bufferedBytes -= bytes }

  private func streamUnreadLongest() -> HTTP2Stream? {
    var victim: HTTP2Stream?
    for connection in connections.values {
      for stream in connection.streams.all where stream.queuedBytes > 0 {
        if let current = victim, current.lastProgress <= stream.lastProgress { continue }
        victim = stream
      }
    }
    return victim
  }
}
