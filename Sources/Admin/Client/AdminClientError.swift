/// Why the daemon did not give what it was asked for.
package enum AdminClientError: Error, Hashable, Sendable {
  /// Nobody serves the socket. The reason is connect(2)'s.
  case notRunning(socket: String, reason: String)
  /// This user may not ask; the daemon or the kernel says so.
  case notPermitted(socket: String, reason: String)
  /// The daemon's own words, and the ids that were meant if there are several.
  case refused(status: UInt, message: String, matches: [String])
  /// The daemon hung up, took too long, or said what is no answer.
  case broken(socket: String, reason: String)
}
