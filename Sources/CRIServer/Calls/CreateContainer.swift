internal import Accounts
internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

/// PreCreateContainer, and the record of a container.
///
/// kubelet builds `sandbox_config` anew for each container, without what plugins changed when the pod was run:
/// the pod's recorded changes are applied to it again first, for the plugins and for the runtime.
enum CreateContainer: LifeCycleCall {
  typealias Answer = CRICreateContainerResponse

  static func record(_ request: CRICreateContainerRequest) -> RecordID? { nil }

  static func object(madeBy answer: Answer) -> RecordID? { .container(answer.containerID) }

  static func commit(
    _ request: CRICreateContainerRequest, _ answer: Answer, _ outcome: CallOutcome, to store: Store
  ) {
    guard outcome == .succeeded, !answer.containerID.isEmpty else { return }
    store.insertContainer(
      ContainerRecord(
        created: request, id: answer.containerID, pod: store.pod(request.podSandboxID)))
  }

  static func run(
    _ request: CRICreateContainerRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    var request = request
    exchange.account.note(podSandboxID: request.podSandboxID)
    let pod = await exchange.pod(request.podSandboxID)
    let recorded = pod.flatMap { recordedChanges(of: $0, for: request, in: exchange) }
    if let recorded { request.sandboxConfig.apply(recorded) }

    var container = ContainerResourceHookRequest(request, pod: pod)
    var call = exchange.server.dispatcher.call(
      about: container, in: exchange.registry, hiddenEnvKeys: VisibleEnvs(request.config.envs).hiddenKeys,
      company: exchange.company)
    let changes = try await exchange.pre(.preCreateContainer, &container, &call)
    request.apply(changes)
    return try await exchange.forward(Self.self, request, isChanged: recorded != nil || !changes.isEmpty)
  }

  /// What to apply again; nil if it is nothing. Of a pod that was read back from the runtime it is what the
  /// runtime has and kubelet's request lacks, as long as there are plugins that may have made it.
  private static func recordedChanges(
    of pod: PodRecord, for request: CRICreateContainerRequest, in exchange: Exchange
  ) -> PodSandboxHookResponse? {
    if let changes = pod.changes { return changes.isEmpty ? nil : changes }
    let dispatcher = exchange.server.dispatcher
    let makers = dispatcher.plugins(
      at: .preRunPodSandbox, in: exchange.registry, podLabels: request.sandboxConfig.labels)
    guard !makers.isEmpty, request.hasSandboxConfig else { return nil }
    let changes = PodSandboxHookResponse(
      reconstructedFrom: pod.request, kubelet: request.sandboxConfig, rules: dispatcher.rules)
    return changes.isEmpty ? nil : changes
  }
}
