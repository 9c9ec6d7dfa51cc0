import Accounts
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Synchronization

/// Plugins that live in the test.
final class MemoryTransport: HookTransport {
  /// One call as a plugin sees it.
  struct Asked: Sendable {
    let plugin: String
    let endpoint: String
    let methodPath: String
    let request: [UInt8]
    let timeout: Duration
    let trace: TraceContext?

    var container: ContainerResourceHookRequest {
      get throws { try ContainerResourceHookRequest(serializedBytes: request) }
    }

    var pod: PodSandboxHookRequest {
      get throws { try PodSandboxHookRequest(serializedBytes: request) }
    }
  }

  typealias Behaviour = @Sendable (Asked) async throws(HookCallError) -> [UInt8]

  private struct State {
    var behaviours: [String: Behaviour] = [:]
    var asked: [Asked] = []
    var sockets: [String: SocketIdentity] = [:]
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  /// All calls so far, in order.
  var asked: [Asked] { state.withLock { $0.asked } }

  /// The plugins called so far, in order.
  var askedPlugins: [String] { asked.map(\.plugin) }

  /// What the plugin does from now on. One that was never told answers with nothing.
  func plugin(_ name: String, does behaviour: @escaping Behaviour) {
    state.withLock { $0.behaviours[name] = behaviour }
  }

  func plugin(_ name: String, fails error: HookCallError) {
    plugin(name) { _ throws(HookCallError) in throw error }
  }

  func plugin(_ name: String, answers bytes: [UInt8]) {
    plugin(name) { _ in bytes }
  }

  func plugin(_ name: String, answers message: some SwiftProtobuf.Message) throws {
    plugin(name, answers: try message.serializedBytes() as [UInt8])
  }

  /// Does not answer before its timeout has passed on `clock`.
  func plugin(_ name: String, hangsOn clock: ManualClock) {
    plugin(name) { asked throws(HookCallError) in
      do { try await clock.sleep(for: asked.timeout) } catch { throw .cancelled }
      throw .deadlineExceeded(asked.timeout)
    }
  }

  func bindSocket(of plugin: String, inode: UInt64) {
    state.withLock { $0.sockets[plugin] = SocketIdentity(device: 1, inode: inode) }
  }

  /// Returns when at least so many calls have come.
  func calls(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.asked.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  func call(
    _ plugin: Plugin, methodPath: String, request: [UInt8], timeout: Duration, trace: TraceContext?
  ) async throws(HookCallError) -> [UInt8] {
    let asked = Asked(
      plugin: plugin.name, endpoint: plugin.endpoint, methodPath: methodPath, request: request, timeout: timeout,
      trace: trace)
    let (behaviour, watchers) = state.withLock { state in
      state.asked.append(asked)
      let due = state.watchers.filter { $0.count <= state.asked.count }
      state.watchers.removeAll { $0.count <= state.asked.count }
      return (state.behaviours[plugin.name], due.map(\.continuation))
    }
    watchers.forEach { $0.resume() }
    return try await behaviour?(asked) ?? []
  }

  func socketIdentity(of plugin: Plugin) -> SocketIdentity? { state.withLock { $0.sockets[plugin.name] } }
}
