/// HTTP/2 frames as a peer writes them, right or wrong (RFC 9113, section 4.1).
enum Frame {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let data: UInt8 = 0x0
  static let headers: UInt8 = 0x1
  static let settings: UInt8 = 0x4
  static let endStream: UInt8 = 0x1
  static let endHeaders: UInt8 = 0x4

  static func bytes(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let length = payload.count
    return [UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8)]
      + [UInt8(truncatingIfNeeded: length), type, flags]
      + (0..<4).map { UInt8(truncatingIfNeeded: stream >> (24 - 8 * $0)) } + payload
  }

  /// A request's header block; `path` is at most 126 bytes (RFC 7541, appendix A, and section 6.2.2).
  static func requestBlock(path: [UInt8]) -> [UInt8] {
    [0x83, 0x86, 0x04] + literal(path) + [0x01] + literal(Array("localhost".utf8))
  }

  /// An answer's header block: `:status` 200.
  static let responseBlock: [UInt8] = [0x88]

  /// A trailer section with one field; the value is at most 126 bytes.
  static func trailerBlock(status: [UInt8]) -> [UInt8] {
    [0x00] + literal(Array("grpc-status".utf8)) + literal(status)
  }

  private static func literal(_ bytes: [UInt8]) -> [UInt8] {
    let bytes = bytes.prefix(126)
    return [UInt8(bytes.count)] + bytes
  }
}
