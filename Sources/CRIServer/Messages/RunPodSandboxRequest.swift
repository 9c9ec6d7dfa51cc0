internal import CRIMessages
package import RuntimeDispatcher
internal import WireFields

/// RunPodSandbox as kubelet sent it, encoded: what plugins are told about it is copied out of its bytes, and what they
/// change is put into them. Nothing else is read.
package struct RunPodSandboxRequest: CallRequest, Hashable {
  package private(set) var message: [UInt8]

  /// - Throws: the bytes are no such message.
  package init(message: [UInt8]) throws {
    self.message = try WireShape.runPodSandboxRequest.plain(message, as: CRIRunPodSandboxRequest.self)
  }

  /// What a plugin is told about the pod sandbox that kubelet wants to run.
  package var pod: EncodedPod {
    var pod: [UInt8] = []
    pod.reserveCapacity(message.count)
    for field in WireFields(message) where field.type == .bytes {
      switch field.number {
      case 1: PodNumbers.pod.appendPodConfig(message, in: field.content, to: &pod)
      case 2: pod.append(field: 2, message[field.content])
      default: break
      }
    }
    return EncodedPod(pod)
  }

  private static let places = FieldPlaces(
    labels: WirePath(1, 6), annotations: WirePath(1, 7), cgroupParent: WirePath(1, 8, 1), resources: WirePath(1, 8, 5))

  /// Writes plugins' changes into the request: labels, annotations, cgroup parent, the pod's resources. Changes that
  /// this call cannot carry are RuntimeDispatcher's to refuse; they are passed over.
  package mutating func apply(_ changes: [Change]) { Self.places.apply(changes, to: &message) }
}
