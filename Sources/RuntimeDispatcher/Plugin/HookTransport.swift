package import Accounts
package import PluginsManager

/// How plugins are reached: gRPC over their unix sockets, or memory in tests.
package protocol HookTransport: Sendable {
  /// One unary call.
  ///
  /// A cancelled task ends it with `cancelled`; nothing else does.
  /// - Parameters:
  ///   - methodPath: the hook point's ``HookPoint/methodPath``.
  ///   - request: the serialized request message.
  ///   - timeout: what the whole call may take, dialling and the one retry included; more than zero.
  ///   - trace: what the plugin is told of the trace that the call belongs to.
  /// - Returns: the serialized answer message, at most 4 MiB.
  func call(
    _ plugin: Plugin, methodPath: String, request: [UInt8], timeout: Duration, trace: TraceContext?
  ) async throws(HookCallError) -> [UInt8]

  /// The socket file at the plugin's path now, nil if there is none. One `stat`; must not wait for the plugin.
  func socketIdentity(of plugin: Plugin) -> SocketIdentity?
}
