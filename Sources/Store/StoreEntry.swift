/// A record as it is kept: serialized, because the dictionaries and strings of a decoded message cost several times
/// their content.
struct StoreEntry: Sendable, Hashable {
  /// The pod to which a container belongs; of a pod, itself.
  var podSandboxID: String
  /// The serialized hook request.
  var body: [UInt8]
  /// A pod's serialized recorded changes; nil if they are not known.
  var changes: [UInt8]?
  /// Whether there are any.
  var hasChanges: Bool { changes?.isEmpty == false }
  var isStale: Bool
  /// Sequence number at which the record came into the Store.
  var inserted: UInt64
  /// Sequence number of the last event of any kind, becoming stale included.
  var written: UInt64
}
