/// An account, as whoever follows the book gets it.
package struct AccountEvent: Sendable, Equatable {
  /// Grows by one with each account that is filed.
  package var number: UInt64
  package var account: Account
  /// How many accounts before this one the reader has missed, because it was too slow.
  package var missed: Int
}
