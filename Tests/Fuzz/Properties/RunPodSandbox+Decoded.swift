package import CRIMessages
import CRIServer
package import HookMessages
package import RuntimeDispatcher
import SwiftProtobuf

// RunPodSandbox by way of swift-protobuf: what the code that works on its bytes is tested against.

extension PodSandboxHookRequest {
  /// What a plugin is told about the pod sandbox that kubelet wants to run.
  package init(_ request: CRIRunPodSandboxRequest) {
    self.init(request.config, runtimeHandler: request.runtimeHandler)
  }

  /// Makes the changes that a plugin may want of a pod.
  mutating func make(_ changes: [Change]) {
    for change in changes {
      switch (change.field, change.value) {
      case (.label(let key), .text(let text)): labels[key] = text
      case (.annotation(let key), .text(let text)): annotations[key] = text
      case (.cgroupParent, .text(let text)): cgroupParent = text
      case (.resource(let field), .number) where !field.isCpuset: resources.apply([change])
      case (.resource(let field), .text) where field.isCpuset: resources.apply([change])
      case (.resource(let field), .cleared) where field.isCpuset && hasResources: resources.apply([change])
      case (.hugepageLimit(let pageSize), .limit(let limit)):
        for index in resources.hugepageLimits.indices where resources.hugepageLimits[index].pageSize == pageSize {
          resources.hugepageLimits[index].limit = limit
        }
        resources.apply([change])
      case (.unified, .text): resources.apply([change])
      default: break
      }
    }
  }
}

extension ResourceField {
  var isCpuset: Bool { self == .cpusetCPUs || self == .cpusetMems }
}

extension CRIRunPodSandboxRequest {
  /// Writes changes into the request by way of its bytes.
  package mutating func apply(_ changes: [Change]) throws {
    var request = try RunPodSandboxRequest(message: serializedBytes())
    request.apply(changes)
    self = try CRIRunPodSandboxRequest(serializedBytes: request.message)
  }
}

extension HookRequest {
  /// What a plugin that answers with this message wants changed.
  func differences(to answer: Answer) throws -> [Change] {
    try differences(toAnswer: answer.serializedBytes() as [UInt8])
  }
}

/// Keys that are equal to Swift and different in bytes (é has two spellings) are the one thing in which a dictionary of
/// strings and the entries that it is made of do not agree. They have a byte above 0xcb: combining marks begin at U+0300.
func isComparable(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 < 0xcc } }
