/// The process before goes on, and this one is not needed.
package struct HandoverCalledOff: Error {
  /// In the words of that process.
  package var reason: String
}
