internal import CRIMessages
internal import CRIServer
internal import GRPC
internal import HookMessages
internal import Logging
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

/// Asks plugins about a pod that no runtime will run, with the code that asks them about real ones.
///
/// The order is kubelet's: the sandbox, then each container is created and started, init containers first. Post hooks
/// are left out: they tell of what has happened, and nothing has.
struct Simulation {
  /// What the runtime would have called the sandbox.
  static let podSandboxID = "simulated-pod"

  /// kubelet's deadline of most calls (runtimeRequestTimeout's default); RunPodSandbox has twice as much.
  private static let callTimeout = Duration.seconds(120)

  let dispatcher: RuntimeDispatcher
  let registry: Registry
  /// What the dispatcher logs meanwhile: why an answer, or a part of it, did not count.
  let notes: SimulationNotes

  /// One hook point of one object.
  struct Step: Sendable {
    let point: HookPoint
    /// `nil` for the pod itself.
    let container: String?
    /// In the order in which they were asked; fewer than are registered if one refused.
    let plugins: [String]
    let changes: [SimulatedChange]
    let notes: [String]
    /// What kubelet would have been answered; `nil` if the call went on.
    let refusal: String?
  }

  /// Must run on the executor of the plugins' connections.
  func run(_ requests: KubeletRequests) async -> [Step] {
    let request = requests.runPodSandbox
    var pod = EncodedPod(PodSandboxHookRequest(request.config, runtimeHandler: request.runtimeHandler))
    var call = dispatcher.call(about: pod, in: registry)
    let (step, changes) = await ask(.preRunPodSandbox, nil, &pod, &call, timeout: Self.callTimeout * 2)
    guard step.refusal == nil else { return [step] }
    let record = PodRecord(pod.decoded, changes: PodSandboxHookResponse(recording: changes))
    var steps = [step]
    for container in requests.pod.initContainers + requests.pod.containers {
      steps += await run(container, of: record, requests)
    }
    return steps
  }

  private func run(_ container: Pod.Container, of pod: PodRecord, _ requests: KubeletRequests) async -> [Step] {
    var create = requests.createContainer(container)
    if let recorded = pod.changes, !recorded.isEmpty { create.sandboxConfig.apply(recorded) }
    var request = ContainerResourceHookRequest(create, pod: pod)
    var call = dispatcher.call(
      about: request, in: registry, hiddenEnvKeys: VisibleEnvs(create.config.envs).hiddenKeys)
    let (created, changes) = await ask(.preCreateContainer, container.name, &request, &call, timeout: Self.callTimeout)
    guard created.refusal == nil else { return [created] }
    create.apply(changes)

    let record = ContainerRecord(created: create, id: "simulated-\(container.name)", pod: pod)
    request = ContainerSubject(container: record, pod: pod).hookRequest
    call = dispatcher.call(about: request, in: registry)
    let (started, _) = await ask(.preStartContainer, container.name, &request, &call, timeout: Self.callTimeout)
    return [created, started]
  }

  private func ask<Request: HookRequest>(
    _ point: HookPoint, _ container: String?, _ request: inout Request, _ call: inout HookedCall, timeout: Duration
  ) async -> (Step, [Change]) {
    let before = request
    let plugins = call.plugins(at: point).map(\.name)
    var made: [OwnedChange] = []
    var refusal: String?
    do throws(Refusal) {
      // Half of kubelet's deadline, as for a real call.
      made = try await dispatcher.pre(point, &request, call: &call, deadline: dispatcher.clock.now + timeout / 2)
    } catch {
      refusal = error.status.message
    }
    let step = Step(
      point: point, container: container, plugins: plugins,
      changes: made.map { SimulatedChange($0, before: before.value(of: $0.change.field)) }, notes: notes.take(),
      refusal: refusal)
    return (step, made.map(\.change))
  }
}
