import CRIMessages
import CRIServer
import HookMessages
import Store
import SwiftProtobuf

/// The JSON in the runtime's verbose statuses: any text gives records that the Store can keep. What a plugin must not
/// be shown, because it is not UTF-8 at the runtime, is not in them.
package enum RuntimeStatusTarget: FuzzTarget {
  package static let name = "runtime-status"

  package static func check(_ bytes: [UInt8]) throws {
    let info = ["info": String(decoding: bytes, as: UTF8.self)]
    let pod = VerbosePodStatus(.with { $0.info = info }).record(remembered: nil)
    let status = VerboseContainerStatus(.with { $0.info = info })
    let container = status.record(
      id: "c", podSandboxID: status.podSandboxID ?? "p", pod: pod, remembered: nil)
    let envs = container.request.containerEnvs
    try expect(
      !envs.values.contains { $0.unicodeScalars.contains("\u{FFFD}") }, "a value that is not UTF-8 is shown: \(envs)")

    let store = Store()
    store.insertPod(pod, id: container.podSandboxID)
    store.insertContainer(container)
    try expect(store.pod(container.podSandboxID) == pod, "the Store does not give back the pod that it was given")
    try expect(store.container("c") == container, "the Store does not give back the container that it was given")
    try expect(store.hookRequest(ofContainer: "c") != nil, "there is no hook request about the container")

    // Read once more over what is remembered: nothing moves.
    let again = status.record(id: "c", podSandboxID: container.podSandboxID, pod: pod, remembered: container)
    try expect(again == container, "the record changes when it is read again: \(container) became \(again)")
  }
}
