/// A record as it goes to another process: serialized, without what only this Store's order of events means.
package struct StoreRecord: Sendable, Hashable {
  package var id: RecordID
  /// The pod to which a container belongs; of a pod, itself.
  package var podSandboxID: String
  /// The serialized hook request.
  package var body: [UInt8]
  /// A pod's serialized recorded changes; nil if they are not known.
  package var changes: [UInt8]?
  package var isStale: Bool

  package init(id: RecordID, podSandboxID: String, body: [UInt8], changes: [UInt8]?, isStale: Bool) {
    self.id = id
    self.podSandboxID = podSandboxID
    self.body = body
    self.changes = changes
    self.isStale = isStale
  }
}
