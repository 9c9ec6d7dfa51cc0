internal import Accounts

/// What was done to one container or pod, and by whom.
package struct WhyDocument: Codable, Sendable, Hashable {
  /// The whole id, or the pod's `namespace/name` if that was asked for.
  package var id: String
  /// The earliest first; of a pod those of its containers are among them.
  package var calls: [CallDocument]
  /// How many earlier ones there were, which had to make room.
  package var earlier: Int
}

extension WhyDocument {
  init(_ history: AccountHistory) {
    id = history.id
    calls = history.accounts.map(CallDocument.init)
    earlier = history.dropped
  }
}
