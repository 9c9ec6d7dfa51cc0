internal import CRIMessages
internal import GRPC
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// PostStopPodSandbox. The record stays until the pod is removed: kubelet stops a sandbox more than once.
enum StopPodSandbox: LifeCycleCall {
  typealias Answer = Google_Protobuf_Empty

  static func record(_ request: CRIStopPodSandboxRequest) -> RecordID? { .pod(request.podSandboxID) }

  static func run(
    _ request: CRIStopPodSandboxRequest, in exchange: Exchange
  ) async throws(CallEnd) -> UnaryAnswer {
    let id = request.podSandboxID
    let lookup = exchange.server.lookup
    let remembered = exchange.server.store.pod(id).map { EncodedPod($0.request) }
    return try await exchange.forwardStop(
      Self.self, request, at: .postStopPodSandbox, id: id, isKnown: remembered != nil, remembered: remembered
    ) { Subject(await lookup.pod(id)) { EncodedPod($0.request) } }
  }
}
