package import HandoverMessages
package import NIOCore
internal import SwiftProtobuf

/// Frames out of what arrives in pieces: four bytes of length, most significant first, then a message.
package struct FrameBuffer: Sendable {
  package enum Malformed: Error, Hashable {
    /// Longer than ``HandoverLimits/frameBytes``; it is never collected.
    case tooLong(bytes: Int)
    case notAFrame
  }

  private static let lengthBytes = 4
  private var bytes = ByteBuffer()

  package init() {}

  package mutating func append(_ more: ByteBuffer) {
    bytes.writeImmutableBuffer(more)
    if bytes.readerIndex > bytes.capacity / 2 { bytes.discardReadBytes() }
  }

  /// The next frame; nil if it is not complete.
  ///
  /// - Throws: ``Malformed``; nothing that follows can be read.
  package mutating func next() throws(Malformed) -> HandoverFrame? {
    guard let length = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self).map(Int.init) else { return nil }
    guard length <= HandoverLimits.frameBytes else { throw .tooLong(bytes: length) }
    guard let body = bytes.getBytes(at: bytes.readerIndex + Self.lengthBytes, length: length) else { return nil }
    bytes.moveReaderIndex(forwardBy: Self.lengthBytes + length)
    guard let frame = try? HandoverFrame(serializedBytes: body) else { throw .notAFrame }
    return frame
  }

  /// What makes no frame yet.
  package var rest: [UInt8] { Array(bytes.readableBytesView) }

  /// The bytes of a frame that says `content`; none if it is longer than a frame may be.
  package static func bytes(_ content: HandoverFrame.OneOf_Content) -> ByteBuffer {
    let frame = HandoverFrame.with { $0.content = content }
    guard let body: [UInt8] = try? frame.serializedBytes(), body.count <= HandoverLimits.frameBytes else {
      return ByteBuffer()
    }
    var buffer = ByteBuffer()
    buffer.writeInteger(UInt32(body.count))
    buffer.writeBytes(body)
    return buffer
  }
}
