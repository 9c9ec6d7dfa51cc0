internal import Accounts
internal import GRPC
internal import HTTP2
internal import HookMessages
internal import NIOCore
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// One hooked call from its complete request to its answer: what the verbs are written in terms of.
///
/// A verb decodes the request, finds out whom it is about, asks the dispatcher, forwards, and commits to the
/// Store; the exchange knows the deadlines, the headers and the way to the runtime.
// Unchecked, because it is confined to the event loop, on whose executor the call's task runs.
final class Exchange: @unchecked Sendable {
  let verb: Verb
  /// The caller's, which calls of our own speak as well.
  let version: CRIVersion
  /// The request's message.
  let message: ByteBuffer
  let server: CallServer
  /// One call sees one registry.
  let registry: Registry
  /// What is told of this call afterwards.
  let account: AccountDraft
  /// That, and the trace that it belongs to.
  let company: CallCompany
  /// kubelet's deadline; nil if it set none.
  let deadline: ContinuousClock.Instant?
  /// When all Pre hooks, and the look-up before them, must be done: half of what kubelet gave.
  let preDeadline: ContinuousClock.Instant?
  /// The runtime has been asked: the caller's leaving no longer stops the call.
  private(set) var isPastRuntime = false

  private let headers: HeaderBlock
  private let body: ByteBuffer
  private let runtime: any UnaryCaller
  private var settlement: (@Sendable (Store) -> Void)?

  init(
    verb: Verb, version: CRIVersion, headers: HeaderBlock, body: ByteBuffer, message: ByteBuffer,
    deadline: ContinuousClock.Instant?, runtime: any UnaryCaller, server: CallServer
  ) {
    self.verb = verb
    self.version = version
    self.headers = headers
    self.body = body
    self.message = message
    self.deadline = deadline
    self.runtime = runtime
    self.server = server
    registry = server.plugins.registry
    let now = server.clock.now
    preDeadline = deadline.map { now + ($0 - now) / 2 }
    let trace = headers.traceContext
    account = AccountDraft(verb: verb.rawValue, began: now, trace: trace, book: server.accounts)
    company = CallCompany(account: account, trace: trace)
  }

  /// Does the call.
  func run() async throws(CallEnd) -> UnaryAnswer {
    defer { account.ends(at: server.clock.now) }
    do throws(CallEnd) {
      return try await verb.call.run(in: self)
    } catch {
      switch error {
      case .status(let status): account.refused(status.code.description, status.message)
      case .reset: account.reset()
      }
      throw error
    }
  }

  /// When kubelet must be answered at the latest although hooks go on: 1 s before its deadline.
  var answerBy: ContinuousClock.Instant? { deadline.map { $0 - .seconds(1) } }

  /// The request. Fields that we do not know stay in it.
  ///
  /// - Throws: INTERNAL if the bytes are no such message; the call is then not forwarded.
  func request<Request: CallRequest>(_: Request.Type = Request.self) throws(CallEnd) -> Request {
    do {
      return try Request(message: Array(message.readableBytesView))
    } catch {
      throw .status(Status(.internalError, "\(verb.rawValue): the request cannot be decoded: \(error)"))
    }
  }

  // MARK: Whom it is about, and the plugins

  /// The container `id`, with its pod, for hooks at `points`; nil if there is nothing to ask about: the runtime
  /// does not know it (and says so itself), or nobody could find out and no plugin is under Fail.
  ///
  /// - Throws: The refusal if nobody could find out and one of the plugins is under Fail.
  func container(_ id: String, at points: [HookPoint]) async throws(CallEnd) -> ContainerResourceHookRequest? {
    switch await server.lookup.container(id, timeout: lookupTimeout) {
    case .known(let container):
      account.note(containerID: container.container.id)
      account.note(podSandboxID: container.container.podSandboxID)
      return container.hookRequest
    case .gone: return nil
    case .unknown(let why):
      let call = server.dispatcher.callAboutUnknown(in: registry, company: company)
      do throws(Refusal) {
        for point in points {
          try server.dispatcher.failure(of: call.plugins(at: point), .subjectUnknown(why), at: point, call: call)
        }
      } catch { throw .status(error.status) }
      return nil
    }
  }

  /// The record of the pod `id`; nil if there is none to be had.
  func pod(_ id: String) async -> PodRecord? {
    switch await server.lookup.pod(id, timeout: lookupTimeout) {
    case .known(let pod): return pod
    case .gone: return nil
    case .unknown(let why):
      server.createsWithoutPod(why)
      return nil
    }
  }

  /// A look-up may take 2 s, inside the time for Pre hooks.
  private var lookupTimeout: Duration {
    let limit = SubjectLookup.timeout
    return preDeadline.map { min(limit, server.clock.left(until: $0)) } ?? limit
  }

  /// Asks the plugins at a Pre hook point.
  ///
  /// - Returns: What they changed, for the CRI message.
  func pre<Subject: HookRequest>(
    _ point: HookPoint, _ subject: inout Subject, _ call: inout HookedCall
  ) async throws(CallEnd) -> [Change] {
    CrashStep.known.pass(verb)
    do throws(Refusal) {
      return try await server.dispatcher.pre(point, &subject, call: &call, deadline: preDeadline).map(\.change)
    } catch { throw .status(error.status) }
  }

  // MARK: The Store

  /// Reports to the Store how the call ended, and files its account.
  func settle() {
    let (settlement, account) = (settlement, account)
    self.settlement = nil
    let bytes = settlement == nil ? 0 : body.readableBytes
    server.report(bytes: bytes, mayRecordChanges: verb == .runPodSandbox) { [server] store in
      settlement?(store)
      if let account = account.file() { server.ended(account) }
    }
  }

  /// The same, at once, if another process has taken over: it must know before kubelet's next call reaches it.
  func settleWithSuccessor() async {
    guard let successor = server.successor else { return }
    settle()
    successor.tell()
    await successor.knows()
  }

  // MARK: The runtime

  /// Sends the call to the runtime and tells the Store how it ended.
  ///
  /// - Parameter isChanged: Send `request` instead of the original bytes.
  func forward<Call: LifeCycleCall>(
    _: Call.Type, _ request: Call.Request, isChanged: Bool = false
  ) async throws(CallEnd) -> UnaryAnswer {
    try await forward(isChanged ? request : nil) { [account] answer, outcome, store in
      if let made = Call.object(madeBy: answer) { account.note(made) }
      Call.settle(request, answer, outcome, to: store)
    }
  }

  /// Sends the call to the runtime: the original bytes, or `changed` in their place. A call whose caller is gone
  /// is not sent.
  ///
  /// - Parameter commit: Told how it ended, with the answer's message, some time after kubelet's answer is on its way
  ///   (``settle()``), on any thread: it must hold nothing that is confined to the event loop, header blocks above all.
  func forward<Answer: Message>(
    _ changed: (some CallRequest)?, commit: @escaping @Sendable (Answer, CallOutcome, Store) -> Void
  ) async throws(CallEnd) -> UnaryAnswer {
    guard !Task.isCancelled else { throw .status(Status(.cancelled, "the caller is gone")) }
    let headers = headers.copy()
    var body = body
    if let changed {
      headers.remove("content-length")
      body = try encoded(changed)
    }
    CrashStep.allowed.pass(verb)
    do throws(CallEnd) {
      let answer = try await send(headers, body, deadline: deadline)
      isPastRuntime = true
      CrashStep.answered.pass(verb)
      let code = answer.code
      account.runtimeAnswered(code.description)
      let (body, outcome) = (answer.body, CallOutcome(code))
      settlement = { commit(Self.message(in: body) ?? Answer(), outcome, $0) }
      return answer
    } catch {
      settlement = { commit(Answer(), .unknown, $0) }
      throw error
    }
  }

  /// A call of our own on behalf of this one: same API version, upstream and metadata.
  func ask(
    _ verb: Verb, _ message: some CallRequest, deadline: ContinuousClock.Instant?
  ) async throws(CallEnd) -> UnaryAnswer {
    let headers = headers.copy()
    headers.set(":path", version.runtimeService(verb.rawValue))
    headers.remove("content-length")
    headers.remove(RequestTimeout.headerName)
    let body = try encoded(message)
    guard isPastRuntime else { return try await send(headers, body, deadline: deadline) }
    // What follows from the runtime's answer is done even if the caller left in the moment when it came.
    let task = Task(executorPreference: server.group.executor) { () -> Result<UnaryAnswer, CallEnd> in
      do throws(CallEnd) {
        return .success(try await self.send(headers, body, deadline: deadline))
      } catch {
        return .failure(error)
      }
    }
    return try await task.value.get()
  }

  /// Each attempt tells the runtime what is left.
  private func send(
    _ headers: HeaderBlock, _ body: ByteBuffer, deadline: ContinuousClock.Instant?
  ) async throws(CallEnd) -> UnaryAnswer {
    let endpoint = server.runtimeEndpoint
    var isRepeated = false
    while true {
      let left = deadline.map { server.clock.left(until: $0) }
      if let left { headers.set(RequestTimeout.headerName, RequestTimeout.format(left)) }
      do throws(CallFailure) {
        let answer = try await runtime.unary(
          headers, body, deadline: left.map { server.group.eventLoop.now + TimeAmount($0) },
          answerLimitBytes: ServerLimits.messageBytes + UnaryBody.prefixBytes)
        endpoint.answered()
        return answer
      } catch {
        // Once, and only what was provably not processed; hooks that ran are not asked again for it.
        guard error == .notProcessed, !isRepeated else { throw CallEnd(error, endpoint: endpoint) }
        isRepeated = true
      }
    }
  }

  private func encoded(_ request: some CallRequest) throws(CallEnd) -> ByteBuffer {
    do {
      return UnaryBody.body(of: try request.message)
    } catch {
      throw .status(Status(.internalError, "\(verb.rawValue): the request cannot be encoded: \(error)"))
    }
  }

  /// The message in an answer's body; nil if it has none that can be read.
  private static func message<Answer: Message>(in body: ByteBuffer) -> Answer? {
    guard let message = try? UnaryBody.message(in: body) else { return nil }
    return try? Answer(serializedBytes: Array(message.readableBytesView))
  }
}
