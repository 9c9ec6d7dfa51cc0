import GRPC
import HTTP2
import HookMessages
import Logging
import NIOCore
import NIOEmbedded
import PluginsManager
import SwiftProtobuf
import Synchronization

@testable import CRIServer
@testable import RuntimeDispatcher
@testable import Store

/// The modules as the daemon wires them, on one thread that runs only when told to, with a ``Port`` in the place of
/// plugins, runtime and time.
// Unchecked, because it is confined to the test's own thread.
final class RealSystem: @unchecked Sendable {
  let port = Port()
  let plugins: PluginsManager
  let dispatcher: RuntimeDispatcher
  let store: Store
  let group: ConnectionGroup
  private let server: CallServer
  private let queries: PortQueries
  private let loop: EmbeddedEventLoop
  private let logger: Logger
  private let service: Task<Void, any Error>

  init(
    directory: String, loop: EmbeddedEventLoop, clock: WorldClock, outside: Outside,
    logger: Logger = Logger(label: "model") { _ in SwiftLogNoOpLogHandler() }
  ) {
    self.loop = loop
    self.logger = logger
    group = ConnectionGroup(eventLoop: loop)
    plugins = PluginsManager(directory: directory, eventLoop: loop, logger: logger)
    dispatcher = RuntimeDispatcher(
      transport: PortTransport(port: port, clock: clock, outside: outside), rules: HookRules(),
      clock: PortClock(port: port, clock: clock), logger: logger, executor: group.executor,
      registrationNow: { [plugins] in plugins.registry.plugin(named: $0.name) })
    store = Store { [dispatcher] in dispatcher.forget(objectID: $0.objectID) }
    queries = PortQueries(port: port, clock: clock)
    let endpoint = RuntimeEndpoint(path: "/runtime.sock", group: group, logger: logger)
    server = CallServer(
      group: group, runtimeEndpoint: endpoint, imageEndpoint: endpoint, plugins: plugins, dispatcher: dispatcher,
      store: store,
      lookup: SubjectLookup(store: store, runtime: queries, logger: logger, clock: dispatcher.clock), logger: logger)
    service = Task(executorPreference: group.executor) { [dispatcher] in try await dispatcher.run() }
  }

  func stop() { service.cancel() }

  func look() { Task(executorPreference: group.executor) { [plugins] in await plugins.load() } }

  /// Rebuilds the Store once.
  func rebuild(ended: @escaping @Sendable () -> Void) {
    let rebuild = StoreRebuild(store: store, runtime: queries, logger: logger, clock: dispatcher.clock)
    Task(executorPreference: group.executor) {
      _ = try? await rebuild.run()
      ended()
    }
  }

  /// Begins a call of kubelet's, as ``KubeletConnection`` and ``CollectedCall`` do.
  /// - Returns: what happens when kubelet leaves.
  func begin(_ call: KubeletCall, ended: @escaping @Sendable (Verdict) -> Void) -> () -> Void {
    let message = ByteBuffer(bytes: call.verb.message(call.fields))
    let body = UnaryBody.body(of: message.readableBytesView)
    let headers = HeaderBlock.request(path: "/runtime.v1.RuntimeService/\(call.verb.rawValue)", timeout: call.timeout)
    let runtime = PortRuntime(port: port, loop: loop, clock: dispatcher.clock)
    let deadline = call.timeout.map { dispatcher.clock.now + $0 }
    guard server.wantsHooks(call.verb) else {
      let observation = server.observation(of: call.verb)
      let limit = call.timeout.map { loop.now + TimeAmount($0) }
      let task = Task(executorPreference: group.executor) {
        observation.request(body)
        do throws(CallFailure) {
          let answer = try await runtime.unary(headers, body, deadline: limit, answerLimitBytes: .max)
          observation.answer(answer.body)
          observation.ended(answer.trailers ?? answer.headers)
          ended(Verdict(answer))
        } catch {
          observation.abandon()
          ended(Verdict(failure: error))
        }
      }
      return { task.cancel() }
    }
    let exchange = Exchange(
      verb: call.verb, version: .v1, headers: headers, body: body, message: message, deadline: deadline,
      runtime: runtime, server: server)
    let task = Task(executorPreference: group.executor) { [loop] in
      do throws(CallEnd) {
        ended(Verdict(try await exchange.run()))
      } catch {
        ended(Verdict(error))
      }
      loop.execute { exchange.settle() }
    }
    return { if !exchange.isPastRuntime { task.cancel() } }
  }

  // MARK: What it has come to

  /// What is kept.
  var remains: Remains {
    Remains(
      records: records.count, stops: dispatcher.ledger.withLock { $0.entryCount },
      owed: dispatcher.counters.owed, traces: store.traceCount)
  }

  var registrations: [Registered] { plugins.registry.plugins.map(Registered.init) }

  var records: [String: Kept] {
    var records: [String: Kept] = [:]
    for id in store.podIDs {
      guard let pod = store.pod(id) else { continue }
      records[id] = Kept(
        podSandboxID: id, fields: pod.request.fields, changes: pod.changes?.fields, isStale: pod.isStale)
    }
    for id in store.containerIDs {
      guard let container = store.container(id) else { continue }
      records[id] = Kept(
        podSandboxID: container.podSandboxID, fields: container.request.fields, changes: nil,
        isStale: container.isStale)
    }
    return records
  }
}
