internal import SwiftProtobuf

extension SwiftProtobuf.Message {
  /// The message as it travels. It can only fail to encode by being over 2 GB long, which no request that came in is;
  /// were it so, the plugin would have failed.
  func wireBytes() throws(HookFailure.Cause) -> [UInt8] {
    do { return try serializedBytes() } catch { throw .badAnswer("request cannot be encoded") }
  }
}
