package import HTTP2
package import NIOCore

/// Everything that a server answered to a unary call, as it came.
package final class UnaryAnswer: Sendable {
  /// The header block; of an answer that is trailers only, that block.
  package let headers: HeaderBlock
  /// All bytes of DATA: a length-prefixed message, or nothing.
  package let body: ByteBuffer
  /// The trailer section, unless the answer is trailers only.
  package let trailers: HeaderBlock?

  package init(headers: HeaderBlock, body: ByteBuffer, trailers: HeaderBlock?) {
    self.headers = headers
    self.body = body
    self.trailers = trailers
  }

  /// The code of ``status``, at the least cost.
  package var code: StatusCode {
    let last = trailers ?? headers
    return last.hasStatus ? last.statusCode : status.code
  }

  /// How the call ended. Without `grpc-status` the HTTP status decides (gRPC documentation,
  /// "HTTP to gRPC status code mapping").
  package var status: Status {
    if let status = (trailers ?? headers).status { return status }
    let http = headers.value(of: ":status") ?? "none"
    let code: StatusCode =
      switch http {
      case "400": .internalError
      case "401": .unauthenticated
      case "403": .permissionDenied
      case "404": .unimplemented
      case "429", "502", "503", "504": .unavailable
      default: .unknown
      }
    return Status(code, "the answer has no grpc-status, its HTTP status is \(http)")
  }
}
