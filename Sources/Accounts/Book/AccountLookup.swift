/// What the book knows by an id or a name.
package enum AccountLookup: Sendable, Equatable {
  case found(AccountHistory)
  /// Several objects' ids begin so; these.
  case ambiguous([String])
  /// There is no account, or none any more.
  case unknown
}
