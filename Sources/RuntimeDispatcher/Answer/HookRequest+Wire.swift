internal import SwiftProtobuf

extension HookRequest {
  /// The request as it travels. A message can only fail to encode by being over 2 GB long, which no request
  /// that came in is; were it so, the plugin would have failed.
  func bytes() throws(HookFailure.Cause) -> [UInt8] {
    do { return try serializedBytes() } catch { throw .badAnswer("request cannot be encoded") }
  }
}

extension SwiftProtobuf.Message {
  /// Reads an answer; an answer that is not this message is the plugin's failure.
  init(answerBytes: [UInt8]) throws(HookFailure.Cause) {
    do { try self.init(serializedBytes: answerBytes) } catch { throw .undecodable }
  }
}
