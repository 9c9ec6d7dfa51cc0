internal import CRIMessages
internal import Store
internal import SwiftProtobuf

/// The record of a container ends here, also of one that exited by itself and was never stopped.
enum RemoveContainer: LifeCycleCall {
  static func record(_ request: CRIRemoveContainerRequest) -> RecordID? { .container(request.containerID) }

  static func commit(
    _ request: CRIRemoveContainerRequest, _ answer: Google_Protobuf_Empty, _ outcome: CallOutcome,
    to store: Store
  ) {
    switch outcome {
    case .succeeded, .notFound: store.remove(.container(request.containerID))
    case .refused, .unknown: break
    }
  }
}
