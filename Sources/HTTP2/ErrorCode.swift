/// An HTTP/2 error code, as RST_STREAM and GOAWAY carry it (RFC 9113, section 7).
package struct ErrorCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let noError = ErrorCode(rawValue: 0x0)
  package static let protocolError = ErrorCode(rawValue: 0x1)
  package static let internalError = ErrorCode(rawValue: 0x2)
  package static let refusedStream = ErrorCode(rawValue: 0x7)
  package static let cancel = ErrorCode(rawValue: 0x8)
  /// gRPC clients report it as RESOURCE_EXHAUSTED (gRPC over HTTP/2, "Errors").
  package static let enhanceYourCalm = ErrorCode(rawValue: 0xb)

  package var description: String {
    switch self {
    case .noError: "NO_ERROR"
    case .protocolError: "PROTOCOL_ERROR"
    case .internalError: "INTERNAL_ERROR"
    case .refusedStream: "REFUSED_STREAM"
    case .cancel: "CANCEL"
    case .enhanceYourCalm: "ENHANCE_YOUR_CALM"
    default: "error code \(rawValue)"
    }
  }
}
