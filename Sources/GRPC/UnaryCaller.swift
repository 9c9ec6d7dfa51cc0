package import HTTP2
package import NIOCore

/// Who can be asked with one unary call: a ``ClientChannel``, or memory in tests.
package protocol UnaryCaller: Sendable {
  /// See ``ClientChannel/unary(_:_:deadline:answerLimitBytes:)``.
  func unary(
    _ headers: HeaderBlock, _ body: ByteBuffer, deadline: NIODeadline?, answerLimitBytes: Int
  ) async throws(CallFailure) -> UnaryAnswer
}

extension ClientChannel: UnaryCaller {}
