import CRIMessages
import CRIServer
import HookMessages
import RuntimeDispatcher
import Store
import SwiftProtobuf

/// RunPodSandbox; see ``HookedRequest``. Also: the Store gives back what it was given.
package enum RunPodSandboxTarget: HookedRequest {
  package static let name = "run-pod-sandbox"

  static let podConfig: [[UInt64]] = [[], [1], [8], [8, 4], [8, 4, 8], [8, 5], [8, 5, 8]]
  static let messages: [[UInt64]] = [[]] + podConfig.map { [1] + $0 }

  static func subject(of request: CRIRunPodSandboxRequest) -> PodSandboxHookRequest { PodSandboxHookRequest(request) }

  static func apply(_ changes: [Change], to request: inout CRIRunPodSandboxRequest) { request.apply(changes) }

  static func checkMore(_ request: CRIRunPodSandboxRequest) throws {
    let record = PodRecord(
      PodSandboxHookRequest(request), changes: .with { $0.annotations = request.config.annotations })
    let store = Store()
    store.insertPod(record, id: "p")
    try expect(store.pod("p") == record, "the Store does not give back the pod that it was given")
  }
}
