import CRIMessages
import CRIServer
import HookMessages
import RuntimeDispatcher
import SwiftProtobuf

/// UpdateContainerResources; see ``HookedRequest``. Also the request of our own that StartContainer's changes make.
package enum UpdateContainerResourcesTarget: HookedRequest {
  package static let name = "update-container-resources"

  static let known = KnownFields.updateContainerResources

  static func subject(of request: CRIUpdateContainerResourcesRequest) -> ContainerResourceHookRequest {
    var container = ContainerResourceHookRequest.with {
      $0.podCgroupParent = "/kubepods/pod1"
      $0.containerAnnotations = ["team": "red"]
      $0.containerResources.cpusetCpus = "0-3"
      $0.containerResources.cpuShares = 2
    }
    container.overlay(request)
    return container
  }

  static func apply(_ changes: [Change], to request: inout CRIUpdateContainerResourcesRequest) {
    request.apply(changes)
  }

  static func checkMore(
    _ request: CRIUpdateContainerResourcesRequest, _ bytes: [UInt8], answer: [UInt8], changes: [Change]
  ) throws {
    let container = subject(of: request)
    let wanted = try container.differences(to: echo(of: .with { $0.containerResources.cpuShares = 3 }))
    let own = CRIUpdateContainerResourcesRequest(wanted, containerID: request.containerID)
    try expect((own == nil) == wanted.isEmpty, "an update of our own where there is nothing to update")
    try expect(own?.linux.cpuShares ?? 3 == 3, "the update of our own does not have the change")
  }
}
