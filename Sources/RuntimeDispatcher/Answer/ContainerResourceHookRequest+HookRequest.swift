package import Accounts
package import HookMessages
package import WireFields

extension ContainerResourceHookRequest: HookRequest {
  package typealias Answer = ContainerResourceHookResponse

  package static var answerShape: WireShape { .containerHookResponse }
  package static let answerPlaces = FieldPlaces(
    annotations: WirePath(1), cgroupParent: WirePath(3), resources: WirePath(2), envs: WirePath(4))

  package var podIdentity: PodIdentity {
    PodIdentity(namespace: podMeta.namespace, name: podMeta.name, uid: podMeta.uid)
  }

  package func podLabel(_ key: String) -> String? { podLabels[key] }
  package func podAnnotation(_ key: String) -> String? { podAnnotations[key] }

  package func values(of fields: [Field]) -> [FieldValue?] { fields.map(present) }

  private func present(_ field: Field) -> FieldValue? {
    switch field {
    case .annotation(let key): containerAnnotations[key].map { .text($0) }
    case .cgroupParent: FieldValue(nonEmpty: podCgroupParent)
    case .resource, .hugepageLimit, .unified: hasContainerResources ? containerResources.value(of: field) : nil
    case .env(let key): containerEnvs[key].map { .text($0) }
    case .label: nil
    }
  }

  package func bytes() throws(HookFailure.Cause) -> [UInt8] { try wireBytes() }

  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would copy them.
    var annotations = containerAnnotations
    var resources = containerResources
    var envs = containerEnvs
    var hasResources = hasContainerResources
    containerAnnotations = [:]
    containerEnvs = [:]
    clearContainerResources()
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .cgroupParent: podCgroupParent = change.value.text ?? podCgroupParent
      case .resource, .hugepageLimit, .unified:
        resources.apply(change)
        hasResources = true
      case .env(let key): if let text = change.value.text { envs[key] = text }
      case .label: break
      }
    }
    containerAnnotations = annotations
    containerEnvs = envs
    if hasResources { containerResources = resources }
  }
}
