package import Accounts
package import HookMessages
internal import SwiftProtobuf
package import WireFields

/// What a plugin is told about a pod sandbox, as it travels: an encoded `PodSandboxHookRequest`.
package struct EncodedPod: HookRequest, Hashable {
  package typealias Answer = PodSandboxHookResponse

  package private(set) var message: [UInt8]

  /// - Parameter message: In its plain form (`WireShape`).
  package init(_ message: [UInt8]) { self.message = message }

  /// What is remembered of a pod. It came in over a socket, far below the 2 GB at which encoding fails.
  package init(_ pod: PodSandboxHookRequest) { message = (try? pod.serializedBytes()) ?? [] }

  /// The same for whoever is in no hurry. A message in its plain form can be decoded.
  package var decoded: PodSandboxHookRequest { (try? PodSandboxHookRequest(serializedBytes: message)) ?? .init() }

  private static let labels = WirePath(3)
  private static let annotations = WirePath(4)
  private static let places = FieldPlaces(
    labels: labels, annotations: annotations, cgroupParent: WirePath(5), resources: WirePath(7))

  private static let name = WirePath(1, 1)
  private static let uid = WirePath(1, 2)
  private static let namespace = WirePath(1, 3)

  package static var answerShape: WireShape { .podHookResponse }
  package static let answerPlaces = FieldPlaces(
    labels: WirePath(1), annotations: WirePath(2), cgroupParent: WirePath(3), resources: WirePath(4))

  package var podIdentity: PodIdentity {
    PodIdentity(namespace: text(at: Self.namespace), name: text(at: Self.name), uid: text(at: Self.uid))
  }

  private func text(at path: WirePath) -> String {
    guard let text = message.content(at: path) else { return "" }
    return message.text(in: text)
  }

  package func podLabel(_ key: String) -> String? { message.text(of: key, at: Self.labels) }

  package func podAnnotation(_ key: String) -> String? { message.text(of: key, at: Self.annotations) }

  package func values(of fields: [Field]) -> [FieldValue?] { Self.places.values(of: fields, in: message) }

  package mutating func apply(_ changes: [Change]) { Self.places.apply(changes, to: &message) }

  package func bytes() -> [UInt8] { message }

  private static let recordedPlaces = FieldPlaces(
    labels: WirePath(1), annotations: WirePath(2), cgroupParent: WirePath(3))

  /// The changes that have to be made again at each CreateContainer, which kubelet sends without them: labels,
  /// annotations, the cgroup parent. Encoded as the answer that would have made them; empty if there are none.
  package static func recorded(_ changes: [Change]) -> [UInt8] {
    var answer: [UInt8] = []
    recordedPlaces.apply(changes, to: &answer)
    return answer
  }
}
