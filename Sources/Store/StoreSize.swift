/// How much the Store holds.
package struct StoreSize: Sendable, Hashable {
  package var pods = 0
  package var containers = 0
  /// Of the records as they are kept, without what keeping them costs.
  package var bytes = 0

  init() {}
}
