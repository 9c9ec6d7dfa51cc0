internal import CRIMessages
internal import HookMessages
internal import Store
internal import SwiftProtobuf

/// kubelet resizes a pod in place: plugins asked later see the new resources.
enum UpdatePodSandboxResources: LifeCycleCall {
  static func record(_ request: CRIUpdatePodSandboxResourcesRequest) -> RecordID? { .pod(request.podSandboxID) }

  static func commit(
    _ request: CRIUpdatePodSandboxResourcesRequest, _ answer: Google_Protobuf_Empty, _ outcome: CallOutcome,
    to store: Store
  ) {
    switch outcome {
    case .succeeded:
      store.updatePod(
        request.podSandboxID, overhead: LinuxContainerResources(request.overhead),
        resources: LinuxContainerResources(request.resources))
    case .notFound, .refused, .unknown: break
    }
  }
}
