package import Accounts
internal import GRPC
internal import Glibc
package import HTTP2
internal import NIOCore
package import PluginsManager

/// Calls plugins over gRPC on their unix sockets: one kept connection a plugin, dialled when it is needed.
///
/// A call that provably was not processed (the kept connection had died, the stream was refused or lies above
/// a GOAWAY's last id) is repeated once on a fresh connection within its timeout; nothing else is repeated.
// Unchecked, because `channels` is confined to the group's event loop, on whose executor calls are made.
package final class GRPCHookTransport: HookTransport, @unchecked Sendable {
  /// The most that a plugin may answer, bytes.
  private static let answerLimitBytes = 4 << 20
  private static let clockTolerance: TimeAmount = .milliseconds(10)

  private struct Way {
    var endpoint: String
    var uid: UInt32?
    var channel: ClientChannel
  }

  private let group: ConnectionGroup
  private var ways: [String: Way] = [:]

  package init(group: ConnectionGroup) { self.group = group }

  package func call(
    _ plugin: Plugin, methodPath: String, request: [UInt8], timeout: Duration, trace: TraceContext?
  ) async throws(HookCallError) -> [UInt8] {
    let channel = channel(to: plugin)
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    let headers = HeaderBlock.request(path: methodPath, timeout: timeout)
    if let trace {
      headers.append(TraceContext.parentName, trace.parent)
      if let state = trace.state { headers.append(TraceContext.stateName, state) }
    }
    let body = UnaryBody.body(of: request)
    var isRepeated = false
    while true {
      let answer: UnaryAnswer
      do throws(CallFailure) {
        answer = try await channel.unary(
          headers, body, deadline: deadline, answerLimitBytes: Self.answerLimitBytes + UnaryBody.prefixBytes)
      } catch {
        guard error == .notProcessed, !isRepeated else { throw HookCallError(error, timeout: timeout) }
        isRepeated = true
        headers.set(RequestTimeout.headerName, RequestTimeout.format(.nanoseconds((deadline - .now()).nanoseconds)))
        continue
      }
      // The plugin's server knows the deadline too, and may end the call by itself a moment before we do.
      if answer.code == .deadlineExceeded, .now() + Self.clockTolerance >= deadline {
        throw .deadlineExceeded(timeout)
      }
      return try Self.message(of: answer)
    }
  }

  package func socketIdentity(of plugin: Plugin) -> SocketIdentity? {
    var information = stat()
    guard stat(plugin.endpoint, &information) == 0 else { return nil }
    return SocketIdentity(
      device: UInt64(information.st_dev), inode: UInt64(information.st_ino),
      changedNanoseconds: Int64(information.st_ctim.tv_sec) * 1_000_000_000 + Int64(information.st_ctim.tv_nsec))
  }

  /// Hangs up on every plugin that `registry` does not have; calls under way end first. Must run on the event loop.
  package func hangUp(exceptOn registry: Registry) {
    group.eventLoop.preconditionInEventLoop()
    for (name, way) in ways where registry.plugin(named: name) == nil {
      way.channel.closeWhenIdle()
      ways[name] = nil
    }
  }

  private func channel(to plugin: Plugin) -> ClientChannel {
    group.eventLoop.preconditionInEventLoop()
    if let way = ways[plugin.name] {
      if way.endpoint == plugin.endpoint, way.uid == plugin.uid { return way.channel }
      way.channel.closeWhenIdle()
    }
    let owners = Set([0, geteuid()] + (plugin.uid.map { [$0] } ?? []))
    let channel = ClientChannel(
      path: plugin.endpoint, group: group, permittedOwners: owners, confirmsWrites: true)
    ways[plugin.name] = Way(endpoint: plugin.endpoint, uid: plugin.uid, channel: channel)
    return channel
  }

  private static func message(of answer: UnaryAnswer) throws(HookCallError) -> [UInt8] {
    guard answer.headers.number(of: ":status") == 200,
      answer.headers.value(of: "content-type")?.hasPrefix("application/grpc") == true
    else { throw .connectionBroken("what answers is no gRPC server") }
    guard (answer.trailers ?? answer.headers).hasStatus else {
      throw .connectionBroken("the answer has no grpc-status")
    }
    guard answer.code == .ok else { throw .status(answer.status) }
    do {
      return Array(try UnaryBody.message(in: answer.body).readableBytesView)
    } catch {
      switch error {
      case .empty: throw .badAnswer("the answer has no message")
      case .severalMessages: throw .badAnswer("the answer has several messages")
      case .compressed: throw .badAnswer("the answer is compressed")
      case .truncated: throw .badAnswer("the answer's message is cut short")
      }
    }
  }
}

extension HookCallError {
  fileprivate init(_ failure: CallFailure, timeout: Duration) {
    switch failure {
    case .unreachable(let path, let reason): self = .socketUnavailable("unix://\(path): \(reason)")
    case .wrongOwner(let uid): self = .wrongOwner(uid: uid)
    case .notProcessed: self = .connectionBroken("the connection is closing")
    case .connectionLost: self = .connectionBroken("the connection broke")
    case .reset(let code): self = .connectionBroken("the stream was reset with \(code)")
    case .deadlineExceeded: self = .deadlineExceeded(timeout)
    case .cancelled: self = .cancelled
    case .tooLarge(let limitBytes): self = .badAnswer("the answer is larger than \(limitBytes) bytes")
    }
  }
}
