internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

/// PreRunPodSandbox, and the record of a pod with what plugins made of it.
enum RunPodSandbox: LifeCycleCall {
  typealias Answer = CRIRunPodSandboxResponse

  static func record(_ request: CRIRunPodSandboxRequest) -> RecordID? { nil }

  static func object(madeBy answer: Answer) -> RecordID? { .pod(answer.podSandboxID) }

  static func commit(
    _ request: CRIRunPodSandboxRequest, _ answer: Answer, _ outcome: CallOutcome, to server: CallServer
  ) {
    commit(request, answer, outcome, changes: [], to: server)
  }

  private static func commit(
    _ request: CRIRunPodSandboxRequest, _ answer: Answer, _ outcome: CallOutcome, changes: [Change],
    to server: CallServer
  ) {
    // A pod whose creation ended in an unknown way has no id here; a rebuild or a look-up finds it.
    guard outcome == .succeeded, !answer.podSandboxID.isEmpty else { return }
    server.store.insertPod(
      PodRecord(PodSandboxHookRequest(request), changes: PodSandboxHookResponse(recording: changes)),
      id: answer.podSandboxID)
  }

  static func run(
    _ request: CRIRunPodSandboxRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    var request = request
    var pod = PodSandboxHookRequest(request)
    var call = exchange.server.dispatcher.call(about: pod, in: exchange.registry, account: exchange.account)
    let changes = try await exchange.pre(.preRunPodSandbox, &pod, &call)
    request.apply(changes)
    let sent = request
    return try await exchange.forward(changes.isEmpty ? nil : sent) {
      [server = exchange.server, account = exchange.account] answer, outcome in
      if let made = object(madeBy: answer) { account.note(made) }
      commit(sent, answer, outcome, changes: changes, to: server)
    }
  }
}
