/// A pod as people know it.
package struct PodIdentity: Sendable, Hashable, CustomStringConvertible {
  package var namespace: String
  package var name: String
  package var uid: String

  package init(namespace: String, name: String, uid: String) {
    self.namespace = namespace
    self.name = name
    self.uid = uid
  }

  /// `namespace/name`.
  package var description: String { "\(namespace)/\(name)" }
}
