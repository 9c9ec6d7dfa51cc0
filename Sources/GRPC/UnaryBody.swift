package import NIOCore

/// The body of a unary request or answer: exactly one length-prefixed message (gRPC over HTTP/2,
/// "Length-Prefixed-Message": a flag byte, four bytes of length, the message).
package enum UnaryBody {
  package static let prefixBytes = 5

  package enum Malformed: Error, Sendable, Hashable {
    case empty
    case truncated
    case compressed
    case severalMessages
  }

  /// The message in `body`, as a view of the same storage.
  package static func message(in body: ByteBuffer) throws(Malformed) -> ByteBuffer {
    let start = body.readerIndex
    guard body.readableBytes > 0 else { throw .empty }
    guard let flag = body.getInteger(at: start, as: UInt8.self),
      let length = body.getInteger(at: start + 1, as: UInt32.self)
    else { throw .truncated }
    guard flag == 0 else { throw .compressed }
    let rest = body.readableBytes - prefixBytes
    guard rest <= Int(length) else { throw .severalMessages }
    guard rest == Int(length), let message = body.getSlice(at: start + prefixBytes, length: Int(length)) else {
      throw .truncated
    }
    return message
  }

  /// The body that holds `message`.
  package static func body(of message: some Collection<UInt8>) -> ByteBuffer {
    var body = ByteBufferAllocator().buffer(capacity: prefixBytes + message.count)
    body.writeInteger(UInt8(0))
    body.writeInteger(UInt32(message.count))
    body.writeBytes(message)
    return body
  }
}
