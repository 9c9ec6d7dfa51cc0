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

  package func values(of fields: [Field]) -> [FieldValue?] {
    // Once for all fields, of which a plugin may ask for as many as there are entries.
    let limits = Dictionary(containerResources.hugepageLimits.map { ($0.pageSize, $0.limit) }) { $1 }
    return fields.map { field in
      switch field {
      case .annotation(let key): containerAnnotations[key].map { .text($0) }
      case .cgroupParent: FieldValue(nonEmpty: podCgroupParent)
      case .resource(let field): containerResources[field]
      case .hugepageLimit(let pageSize): limits[pageSize].map { .limit($0) }
      case .unified(let key): containerResources.unified[key].map { .text($0) }
      case .env(let key): containerEnvs[key].map { .text($0) }
      case .label: nil
      }
    }
  }

  package func bytes() throws(HookFailure.Cause) -> [UInt8] { try wireBytes() }

  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would copy them.
    var annotations = containerAnnotations
    var envs = containerEnvs
    containerAnnotations = [:]
    containerEnvs = [:]
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .cgroupParent: podCgroupParent = change.value.text ?? podCgroupParent
      case .env(let key): if let text = change.value.text { envs[key] = text }
      case .resource, .hugepageLimit, .unified, .label: break
      }
    }
    containerAnnotations = annotations
    containerEnvs = envs
    let ofResources = changes.filter(\.field.isResource)
    if !ofResources.isEmpty { containerResources.apply(ofResources) }
  }
}
