/// A property that does not hold, with what was seen.
package struct PropertyFailure: Error, CustomStringConvertible {
  package var description: String
}

/// - Throws: ``PropertyFailure`` with `what` unless the condition holds.
func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws(PropertyFailure) {
  guard condition else { throw PropertyFailure(description: what()) }
}
