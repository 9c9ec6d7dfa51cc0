internal import CRIMessages
internal import Store
internal import SwiftProtobuf

/// The record of a pod ends here, and with it those of its containers.
enum RemovePodSandbox: LifeCycleCall {
  static func record(_ request: CRIRemovePodSandboxRequest) -> RecordID? { .pod(request.podSandboxID) }

  static func commit(
    _ request: CRIRemovePodSandboxRequest, _ answer: Google_Protobuf_Empty, _ outcome: CallOutcome,
    to store: Store
  ) {
    switch outcome {
    case .succeeded, .notFound: store.remove(.pod(request.podSandboxID))
    case .refused, .unknown: break
    }
  }
}
