internal import HookMessages
internal import Store

/// What the Store knows of a container. Of its environment there are the names.
package struct ContainerDocument: Codable, Sendable, Hashable {
  package var id: String
  package var name: String
  package var attempt: UInt32
  package var podSandboxID: String
  /// Of its pod; empty if that is not known.
  package var namespace: String
  package var pod: String
  /// Values of keys that look like those of secrets are `(hidden)`.
  package var annotations: [String: String]
  package var envNames: [String]
  package var resources: ResourcesDocument?
  package var cgroupParent: String
  /// It is read anew from the runtime before its next use.
  package var isStale: Bool

  private enum CodingKeys: String, CodingKey {
    case id, name, attempt, namespace, pod, annotations, envNames, resources, cgroupParent, isStale
    case podSandboxID = "podSandboxId"
  }
}

extension ContainerDocument {
  init(_ record: ContainerRecord, pod: PodSandboxHookRequest?) {
    let request = record.request
    id = record.id
    name = request.containerMeta.name
    attempt = request.containerMeta.attempt
    podSandboxID = record.podSandboxID
    namespace = pod?.podMeta.namespace ?? ""
    self.pod = pod?.podMeta.name ?? ""
    annotations = request.containerAnnotations.withoutSecrets
    envNames = request.containerEnvs.keys.sorted()
    resources = ResourcesDocument(request.containerResources)
    cgroupParent = request.podCgroupParent.isEmpty ? pod?.cgroupParent ?? "" : request.podCgroupParent
    isStale = record.isStale
  }
}
