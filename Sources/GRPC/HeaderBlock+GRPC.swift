package import HTTP2

extension HeaderBlock {
  /// The header block of a unary request of our own.
  ///
  /// - Parameters:
  ///   - path: `/package.Service/Method`.
  ///   - timeout: What the callee is told in `grpc-timeout`; nil for no limit.
  package static func request(path: String, timeout: Duration?) -> HeaderBlock {
    let block = HeaderBlock([
      (":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", path), ("te", "trailers"),
      ("content-type", "application/grpc"), ("user-agent", "runtime-manager"),
    ])
    if let timeout { block.append(RequestTimeout.headerName, RequestTimeout.format(timeout)) }
    return block
  }

  /// An answer that is a status and nothing else (gRPC over HTTP/2, "Trailers-Only").
  package static func trailersOnly(_ status: Status) -> HeaderBlock {
    let block = HeaderBlock([(":status", "200"), ("content-type", "application/grpc")])
    block.append(status)
    return block
  }

  /// The trailer section that ends an answer with `status`.
  package static func trailers(_ status: Status) -> HeaderBlock {
    let block = HeaderBlock([])
    block.append(status)
    return block
  }

  private func append(_ status: Status) {
    append("grpc-status", String(status.code.rawValue))
    if !status.message.isEmpty { append("grpc-message", StatusMessage.encode(status.message)) }
  }

  /// The status that this block carries; nil if it carries none. A code that is not gRPC's is UNKNOWN.
  package var status: Status? {
    hasStatus ? Status(statusCode, value(of: "grpc-message").map(StatusMessage.decode) ?? "") : nil
  }

  /// Whether there is a ``status``, at the least cost.
  package var hasStatus: Bool { has("grpc-status") }

  /// The code of ``status``, at the least cost; UNKNOWN if there is none.
  package var statusCode: StatusCode { number(of: "grpc-status").flatMap(StatusCode.init(rawValue:)) ?? .unknown }

  /// The caller's deadline, from now; nil if there is none.
  package var timeout: Duration? { value(of: RequestTimeout.headerName).flatMap(RequestTimeout.parse) }
}
