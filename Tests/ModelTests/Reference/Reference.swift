import CRIServer
import GRPC
import HTTP2
import PluginsManager

/// What RuntimeManager is to do, in as few words as possible: written from the design, one plain `async` function for
/// each thing that happens, with none of the real modules' code. It waits for the same world as they do, through a
/// ``Port`` of its own, so both must wait for the same things at any time.
// Unchecked, because it is confined to the test's own thread.
final class Reference: @unchecked Sendable {
  typealias Instant = ContinuousClock.Instant

  let port = Port()
  let clock: WorldClock
  let outside: Outside
  let executor: EventLoopExecutor
  var directory = ReferenceDirectory()
  var records = ReferenceRecords()
  var breakers: [String: ReferenceBreaker] = [:]
  /// PostStop* calls by plugin, hook point and object.
  var stops: [StopKey: StopState] = [:]
  var owedDropped = 0
  /// The world has ended: nothing is owed any more.
  var hasEnded = false

  struct StopKey: Hashable {
    var plugin: String
    var point: HookPoint
    var object: String
  }

  enum StopState: Hashable {
    case open(isOwed: Bool, isForgotten: Bool)
    case succeeded
  }

  init(clock: WorldClock, outside: Outside, executor: EventLoopExecutor) {
    self.clock = clock
    self.outside = outside
    self.executor = executor
  }

  var owed: Int { stops.values.count { if case .open(isOwed: true, _) = $0 { true } else { false } } }

  func left(until deadline: Instant) -> Duration { max(deadline - clock.now, .zero) }

  // MARK: Calls

  /// One call of kubelet's while it is under way.
  // Unchecked, because it is confined to the test's own thread.
  final class Call: @unchecked Sendable {
    let request: KubeletCall
    let registered: [Registered]
    /// Some plugin may be asked; else the call passes through and is only observed.
    let isHooked: Bool
    let deadline: Instant?
    /// Half of the time is for Pre hooks.
    let preDeadline: Instant?
    var answerBy: Instant? { deadline.map { $0 - .seconds(1) } }
    var isPastRuntime = false

    init(_ request: KubeletCall, registered: [Registered], isHooked: Bool, now: Instant) {
      self.request = request
      self.registered = registered
      self.isHooked = isHooked
      deadline = request.timeout.map { now + $0 }
      preDeadline = request.timeout.map { now + $0 / 2 }
    }
  }

  /// Why a call has not got the runtime's answer.
  struct End: Error {
    var verdict: Verdict
  }

  /// Begins a call.
  /// - Returns: what happens when kubelet leaves.
  func begin(_ request: KubeletCall, ended: @escaping @Sendable (Verdict) -> Void) -> () -> Void {
    let call = Call(request, registered: directory.registered, isHooked: isHooked(request.verb), now: clock.now)
    let task = Task(executorPreference: executor) {
      do throws(End) {
        ended(.runtime(try await self.run(call)))
      } catch {
        ended(error.verdict)
      }
    }
    return { if !call.isPastRuntime { task.cancel() } }
  }

  private func isHooked(_ verb: Verb) -> Bool {
    let points = verb.points + (verb == .createContainer ? [.preRunPodSandbox] : [])
    if directory.registered.contains(where: { !$0.points.isDisjoint(with: points) }) { return true }
    return verb == .createContainer && records.kept.values.contains { $0.changes?.isEmpty == false }
  }

  private func run(_ call: Call) async throws(End) -> StatusCode {
    guard call.isHooked else { return try await forward(call, call.request.fields) }
    switch call.request.verb {
    case .runPodSandbox: return try await runPodSandbox(call)
    case .createContainer: return try await createContainer(call)
    case .startContainer: return try await startContainer(call)
    case .updateContainerResources: return try await updateContainerResources(call)
    case .stopPodSandbox, .stopContainer: return try await stop(call)
    case .removeContainer, .removePodSandbox, .updatePodSandboxResources:
      return try await forward(call, call.request.fields)
    }
  }

  /// Sends what is left of kubelet's call to the runtime, and keeps in mind what came of it.
  /// - Parameter changes: what plugins made of a pod.
  func forward(_ call: Call, _ fields: Fields, changes: Fields = [:]) async throws(End) -> StatusCode {
    if Task.isCancelled { throw End(verdict: .ours(.cancelled)) }
    let verb = call.request.verb
    do throws(End) {
      let (code, made) = try await ask(verb, fields, by: call.deadline, repeats: call.isHooked)
      call.isPastRuntime = true
      settle(verb, fields, code, made: made, changes: changes)
      return code
    } catch {
      settle(verb, fields, nil, made: "", changes: changes)
      throw error
    }
  }

  /// Asks the runtime to do something.
  /// - Parameter repeats: what was not processed is asked once more.
  func ask(
    _ verb: Verb, _ fields: Fields, by deadline: Instant?, repeats: Bool
  ) async throws(End) -> (StatusCode, made: String) {
    switch await port.ask(.runtime(verb, fields), by: deadline.map { clock.now + left(until: $0) }) {
    case .status(let code, let id): return (code, id)
    case .runtimeFails(.notProcessed) where repeats: return try await ask(verb, fields, by: deadline, repeats: false)
    case .runtimeFails(.reset): throw End(verdict: .reset)
    case .runtimeFails: throw End(verdict: .ours(.unavailable))
    case .timeUp: throw End(verdict: .ours(.deadlineExceeded))
    case .cancelled, .answer, .undecodable, .pluginFails, .ids, .object: throw End(verdict: .ours(.cancelled))
    }
  }

  /// What a call that is over means for the records.
  /// - Parameter code: the runtime's status; nil if there is none.
  func settle(_ verb: Verb, _ fields: Fields, _ code: StatusCode?, made id: String, changes: Fields) {
    let object = fields["id"] ?? ""
    switch code {
    case nil, .unavailable, .cancelled, .deadlineExceeded:
      if verb != .runPodSandbox, verb != .createContainer { records.markStale(object) }
    case .ok:
      switch verb {
      case .runPodSandbox:
        let recorded = changes.filter { !Fields.isResource($0.key) }
        records.insert(id, Kept(podSandboxID: id, fields: fields, changes: recorded))
      case .createContainer:
        records.insert(id, records.container(id, createdBy: fields))
      case .updateContainerResources:
        records.update(object, with: fields.resources.overlaid(by: fields.annotations))
      case .updatePodSandboxResources: records.update(object, with: fields.resources)
      case .removeContainer, .removePodSandbox: remove(object, isPod: verb == .removePodSandbox)
      case .startContainer, .stopContainer, .stopPodSandbox: break
      }
    case .notFound:
      if verb == .removeContainer || verb == .removePodSandbox { remove(object, isPod: verb == .removePodSandbox) }
    case .some: break
    }
  }

  /// An object is gone: so is what succeeded about it; what is owed stays.
  func remove(_ id: String, isPod: Bool) {
    for gone in records.remove(id, isPod: isPod) { forget(gone) }
  }

  func forget(_ object: String) {
    for (key, state) in stops where key.object == object {
      switch state {
      case .open(let isOwed, _): stops[key] = .open(isOwed: isOwed, isForgotten: true)
      case .succeeded: stops[key] = nil
      }
    }
  }
}

extension Fields {
  var annotations: Fields { filter { $0.key.hasPrefix("annotation ") } }
}

extension Verb {
  /// Where plugins are asked (facts of the hook protocol).
  var points: [HookPoint] {
    switch self {
    case .runPodSandbox: [.preRunPodSandbox]
    case .stopPodSandbox: [.postStopPodSandbox]
    case .createContainer: [.preCreateContainer]
    case .startContainer: [.preStartContainer, .postStartContainer]
    case .stopContainer: [.postStopContainer]
    case .updateContainerResources: [.preUpdateContainerResources]
    case .removePodSandbox, .updatePodSandboxResources, .removeContainer: []
    }
  }
}
