/// A reading of the runtime under way: a rebuild or the look-up of one record.
///
/// Between the runtime's answer and its arrival in the Store, calls go on; the token tells what happened after the
/// reading began, so that an answer that has become old by then overwrites nothing and resurrects nothing.
package struct ReadingToken: Hashable, Sendable {
  /// The Store's sequence number when the reading began; unique to it.
  let began: UInt64
}
