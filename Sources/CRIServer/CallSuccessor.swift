/// The process that has taken over, for the calls that this one finishes.
package protocol CallSuccessor: Sendable {
  /// Sends it what calls have told the Store.
  func tell()

  /// Returns when it knows everything that it was told so far, or is gone, or takes too long: kubelet's next call, which
  /// reaches that process, then finds what this call has left.
  func knows() async
}
