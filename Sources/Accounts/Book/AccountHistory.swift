/// The accounts of one object.
package struct AccountHistory: Sendable, Equatable {
  /// The whole id, or the pod's name if that was asked for.
  package var id: String
  /// The earliest first. Of a pod, those of its containers are among them.
  package var accounts: [Account]
  /// How many earlier ones there were, which had to make room.
  package var dropped: Int

  package init(id: String, accounts: [Account], dropped: Int) {
    self.id = id
    self.accounts = accounts
    self.dropped = dropped
  }
}
