internal import Accounts
internal import HookMessages
internal import Store

/// What the Store knows of a pod sandbox: what a plugin would be sent about it now.
package struct PodDocument: Codable, Sendable, Hashable {
  package var id: String
  package var namespace: String
  package var name: String
  package var uid: String
  package var attempt: UInt32
  package var runtimeHandler: String?
  /// Values of keys that look like those of secrets are `(hidden)`.
  package var labels: [String: String]
  package var annotations: [String: String]
  package var cgroupParent: String
  package var resources: ResourcesDocument?
  package var overhead: ResourcesDocument?
  /// Its containers, by id.
  package var containers: [String]
  /// It is read anew from the runtime before its next use.
  package var isStale: Bool
}

extension PodDocument {
  init(_ record: PodRecord, id: String, containers: [String]) {
    let request = record.request
    self.id = id
    namespace = request.podMeta.namespace
    name = request.podMeta.name
    uid = request.podMeta.uid
    attempt = request.podMeta.attempt
    runtimeHandler = request.runtimeHandler.isEmpty ? nil : request.runtimeHandler
    labels = request.labels.withoutSecrets
    annotations = request.annotations.withoutSecrets
    cgroupParent = request.cgroupParent
    resources = ResourcesDocument(request.resources)
    overhead = ResourcesDocument(request.overhead)
    self.containers = containers
    isStale = record.isStale
  }
}

extension [String: String] {
  /// Labels or annotations, as far as they may be told.
  var withoutSecrets: [String: String] {
    .init(uniqueKeysWithValues: map { ($0, SecretKey.looksSecret($0) ? ShownValue.secret.description : $1) })
  }
}
