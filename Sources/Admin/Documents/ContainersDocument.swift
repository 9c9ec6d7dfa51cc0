/// All containers that the Store knows, by namespace, pod and name.
package struct ContainersDocument: Codable, Sendable, Hashable {
  package var containers: [ContainerDocument]
}
