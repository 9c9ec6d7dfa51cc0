import CRIMessages
import HookMessages
import SwiftProtobuf

/// The messages that are only read: requests that name an object, the runtime's answers, plugins' answers. Any bytes
/// give a message or an error, and a message that is encoded again is the same.
///
/// The first byte of an input chooses the message.
package enum NamedObjectTarget: FuzzTarget {
  package static let name = "named-object"

  private static let messages: [any Message.Type] = [
    CRIStopPodSandboxRequest.self, CRIStartContainerRequest.self, CRIStopContainerRequest.self,
    CRIRemoveContainerRequest.self, CRIRemovePodSandboxRequest.self, CRIUpdatePodSandboxResourcesRequest.self,
    CRIRunPodSandboxResponse.self, CRICreateContainerResponse.self, CRIListPodSandboxResponse.self,
    CRIListContainersResponse.self, CRIPodSandboxStatusResponse.self, CRIContainerStatusResponse.self,
    PodSandboxHookResponse.self, ContainerResourceHookResponse.self,
  ]

  package static func check(_ bytes: [UInt8]) throws {
    let type = messages[Int(bytes.first ?? 0) % messages.count]
    try check(type, Array(bytes.dropFirst()))
  }

  private static func check<M: Message>(_: M.Type, _ bytes: [UInt8]) throws {
    guard let message = try? M(serializedBytes: bytes) else { return }
    let again = try M(serializedBytes: message.serializedBytes() as [UInt8])
    try expect(again.isEqualTo(message: message), "\(M.self) changes on the way")
  }
}
