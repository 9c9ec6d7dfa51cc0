/// What an administrator wants to know of the server's state, as it changes.
package enum ServerEvent: Sendable, Hashable {
  /// Connections are accepted.
  case serving
  /// The runtime is reached: at first, and after it was lost.
  case runtimeIsUp
  case runtimeIsGone
  /// No new calls are taken, and so many are in flight.
  case draining(calls: Int)
}
