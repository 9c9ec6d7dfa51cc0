/// All pod sandboxes that the Store knows, by namespace and name.
package struct PodsDocument: Codable, Sendable, Hashable {
  package var pods: [PodDocument]
}
