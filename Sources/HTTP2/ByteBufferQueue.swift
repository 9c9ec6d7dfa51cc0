internal import NIOCore

/// Bytes that wait to be sent, in the buffers that they came in. Most streams never have more than one: that one needs no
/// memory of the queue's.
struct ByteBufferQueue {
  /// The oldest; nil if nothing waits.
  private var first: ByteBuffer?
  private var others: CircularBuffer<ByteBuffer>?
  private(set) var readableBytes = 0

  /// Small pieces that wait are put together: each would keep the whole read that it came with.
  mutating func append(_ buffer: ByteBuffer) {
    readableBytes += buffer.readableBytes
    if first == nil {
      first = buffer
    } else if let last = others?.indices.last {
      if !(others?.modify(last) { $0.join(buffer) } ?? false) { others?.append(buffer) }
    } else if first?.join(buffer) == false {
      if others == nil { others = CircularBuffer(initialCapacity: 2) }
      others?.append(buffer)
    }
  }

  /// Takes at most `limit` bytes out of the oldest buffer; nil if nothing waits.
  mutating func take(_ limit: Int) -> ByteBuffer? {
    let taken: ByteBuffer?
    if let count = first?.readableBytes, count > limit {
      taken = first?.readSlice(length: limit)
    } else {
      taken = first.take()
      first = others?.popFirst()
    }
    readableBytes -= taken?.readableBytes ?? 0
    return taken
  }
}

extension ByteBuffer {
  /// Appends another buffer's bytes if both are small.
  fileprivate mutating func join(_ other: ByteBuffer) -> Bool {
    guard max(readableBytes, other.readableBytes) < HTTP2Limits.copyBelowBytes else { return false }
    writeImmutableBuffer(other)
    return true
  }
}
