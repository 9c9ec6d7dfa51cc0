import Accounts
import CRIMessages
import CRIServer
import GRPC
import HTTP2
import HookMessages
import NIOCore
import NIOEmbedded
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf

/// What of the world is there to be seen without asking.
// Unchecked, because it is confined to the test's own thread.
final class Outside: @unchecked Sendable {
  /// The inodes of the plugins' sockets.
  var sockets: [String: UInt64] = [:]
}

/// The world's time.
// Unchecked, because it is confined to the test's own thread.
final class WorldClock: @unchecked Sendable {
  let start = ContinuousClock.now
  var now: ContinuousClock.Instant

  init() { now = start }
}

struct PortClock: HookClock {
  let port: Port
  let clock: WorldClock

  var now: ContinuousClock.Instant { clock.now }

  func sleep(for duration: Duration) async throws {
    guard duration > .zero else { return }
    if case .cancelled = await port.ask(.sleep, by: now + duration) { throw CancellationError() }
  }
}

struct PortTransport: HookTransport {
  let port: Port
  let clock: WorldClock
  let outside: Outside

  func call(
    _ plugin: Plugin, methodPath: String, request: [UInt8], timeout: Duration, trace: TraceContext?
  ) async throws(HookCallError) -> [UInt8] {
    guard let point = HookPoint.allCases.first(where: { $0.methodPath == methodPath }) else {
      throw .badAnswer("no such method")
    }
    let isAboutPod = point.isAboutPod
    let fields =
      isAboutPod
      ? try? PodSandboxHookRequest(serializedBytes: request).fields
      : try? ContainerResourceHookRequest(serializedBytes: request).fields
    let reply = await port.ask(
      .hook(plugin: plugin.name, endpoint: plugin.endpoint, point, fields ?? ["undecodable": "request"]),
      by: clock.now + timeout)
    switch reply {
    case .answer(let fields):
      let bytes: [UInt8]? =
        isAboutPod
        ? try? PodSandboxHookResponse(fields).serializedBytes()
        : try? ContainerResourceHookResponse(fields).serializedBytes()
      return bytes ?? []
    case .undecodable: return [0xff]
    case .pluginFails(let error): throw error
    case .timeUp: throw .deadlineExceeded(timeout)
    case .cancelled, .status, .runtimeFails, .ids, .object: throw .cancelled
    }
  }

  func socketIdentity(of plugin: Plugin) -> SocketIdentity? {
    SocketIdentity(device: 1, inode: outside.sockets[plugin.name] ?? 0)
  }
}

struct PortRuntime: UnaryCaller {
  let port: Port
  let loop: EmbeddedEventLoop
  let clock: SteadyClock

  func unary(
    _ headers: HeaderBlock, _ body: ByteBuffer, deadline: NIODeadline?, answerLimitBytes: Int
  ) async throws(CallFailure) -> UnaryAnswer {
    let left = deadline.map { Duration($0 - loop.now) }
    let path = headers.value(of: ":path")?.split(separator: "/").last.map(String.init) ?? ""
    guard let verb = Verb(rawValue: path), let message = try? UnaryBody.message(in: body),
      var fields = verb.fields(Array(message.readableBytesView))
    else { throw .reset(.protocolError) }
    // The runtime is told the same deadline as it is given.
    if headers.timeout != left { fields["told another deadline"] = "\(headers.timeout, default: "none")" }
    switch await port.ask(.runtime(verb, fields), by: left.map { clock.now + $0 }) {
    case .status(.ok, let id):
      return UnaryAnswer(
        headers: HeaderBlock([(":status", "200")]), body: UnaryBody.body(of: verb.answer(id: id)),
        trailers: .trailers(Status(.ok, Verdict.runtimesText)))
    case .status(let code, _):
      return UnaryAnswer(
        headers: .trailersOnly(Status(code, Verdict.runtimesText)), body: ByteBuffer(), trailers: nil)
    case .runtimeFails(let failure): throw failure
    case .timeUp: throw .deadlineExceeded
    case .cancelled, .answer, .undecodable, .pluginFails, .ids, .object: throw .cancelled
    }
  }
}

struct PortQueries: RuntimeQueries {
  let port: Port
  let clock: WorldClock

  func listPodSandboxes(timeout: Duration) async throws(Status) -> [String] {
    try await ids(.pods, timeout).map(\.id)
  }

  func listContainers(timeout: Duration) async throws(Status) -> [(id: String, podSandboxID: String)] {
    try await ids(.containers, timeout).map { ($0.id, $0.podSandboxID) }
  }

  func podSandboxStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIPodSandboxStatusResponse {
    try await object(.pod(id), timeout).podStatus
  }

  func containerStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIContainerStatusResponse {
    try await object(.container(id), timeout).containerStatus
  }

  private func ids(_ query: Ask.Query, _ timeout: Duration) async throws(Status) -> [RuntimeObject.ID] {
    guard case .ids(let ids) = try await ask(query, timeout) else { throw Status(.internalError, "no list") }
    return ids
  }

  private func object(_ query: Ask.Query, _ timeout: Duration) async throws(Status) -> RuntimeObject {
    guard case .object(let object) = try await ask(query, timeout) else { throw Status(.internalError, "no object") }
    return object
  }

  private func ask(_ query: Ask.Query, _ timeout: Duration) async throws(Status) -> Reply {
    guard timeout > .zero else { throw Status(.deadlineExceeded, "no time is left") }
    let reply = await port.ask(.query(query), by: clock.now + timeout)
    switch reply {
    case .status(let code, _): throw Status(code, "status")
    case .runtimeFails: throw Status(.unavailable, "lost")
    case .timeUp: throw Status(.deadlineExceeded, "no answer")
    case .cancelled: throw Status(.cancelled, "nobody waits")
    case .answer, .undecodable, .pluginFails, .ids, .object: return reply
    }
  }
}

extension HookPoint {
  var isAboutPod: Bool { self == .preRunPodSandbox || self == .postStopPodSandbox }
}
