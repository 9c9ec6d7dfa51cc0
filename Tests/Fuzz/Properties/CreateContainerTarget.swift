import CRIMessages
import CRIServer
import HookMessages
import RuntimeDispatcher
import Store
import SwiftProtobuf

/// CreateContainer; see ``HookedRequest``. The pod's recorded changes are applied as well, and twice is once. Also:
/// an environment variable that cannot be shown is hidden, and the Store gives back what it was given.
package enum CreateContainerTarget: HookedRequest {
  package static let name = "create-container"

  static let known = KnownFields.createContainer

  static func subject(of request: CRICreateContainerRequest) -> ContainerResourceHookRequest {
    ContainerResourceHookRequest(request, pod: nil)
  }

  static func apply(_ changes: [Change], to request: inout CRICreateContainerRequest) {
    let recorded = PodSandboxHookResponse(recording: changes)
    if !recorded.isEmpty { request.sandboxConfig.apply(recorded) }
    request.apply(changes)
  }

  static func checkMore(
    _ request: CRICreateContainerRequest, _ bytes: [UInt8], answer: [UInt8], changes: [Change]
  ) throws {
    let envs = VisibleEnvs(request.config.envs)
    let shown = Set(envs.values.keys)
    try expect(shown.isDisjoint(with: envs.hiddenKeys), "a key is shown and hidden")
    try expect(shown.union(envs.hiddenKeys) == Set(request.config.envs.map(\.key)), "a key is neither")

    let record = ContainerRecord(created: request, id: "c", pod: nil)
    let store = Store()
    store.insertContainer(record)
    try expect(store.container("c") == record, "the Store does not give back the container that it was given")
  }
}
