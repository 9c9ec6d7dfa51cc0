internal import CRIMessages
internal import GRPC
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

/// PreRunPodSandbox, and the record of a pod with what plugins made of it.
enum RunPodSandbox: LifeCycleCall {
  typealias Answer = CRIRunPodSandboxResponse

  static func record(_ request: RunPodSandboxRequest) -> RecordID? { nil }

  static func object(madeBy answer: Answer) -> RecordID? { .pod(answer.podSandboxID) }

  static func commit(
    _ request: RunPodSandboxRequest, _ answer: Answer, _ outcome: CallOutcome, to store: Store
  ) {
    commit(request.pod, answer, outcome, changes: [], to: store)
  }

  private static func commit(
    _ pod: EncodedPod, _ answer: Answer, _ outcome: CallOutcome, changes: [Change], to store: Store
  ) {
    // A pod whose creation ended in an unknown way has no id here; a rebuild or a look-up finds it.
    guard outcome == .succeeded, !answer.podSandboxID.isEmpty else { return }
    store.insertPod(
      encoded: pod.message, changes: EncodedPod.recorded(changes), id: answer.podSandboxID)
  }

  static func run(
    _ request: RunPodSandboxRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    var request = request
    var pod = request.pod
    var call = exchange.server.dispatcher.call(about: pod, in: exchange.registry, company: exchange.company)
    let changes = try await exchange.pre(.preRunPodSandbox, &pod, &call)
    request.apply(changes)
    // What the plugins were told and what they changed of it is what is remembered.
    let told = pod
    return try await exchange.forward(changes.isEmpty ? nil : request) {
      [account = exchange.account] answer, outcome, store in
      if let made = object(madeBy: answer) { account.note(made) }
      commit(told, answer, outcome, changes: changes, to: store)
    }
  }
}
