/// A plugin's breaker as another process can go on with it.
package struct BreakerState: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case closed(deadlinesInARow: Int)
    /// Not asked for so long; it tripped so long ago.
    case open(left: Duration, since: Duration)
  }

  package var plugin: String
  package var state: State
  /// The socket that did not answer, if it was there.
  package var socket: SocketIdentity?

  package init(plugin: String, state: State, socket: SocketIdentity?) {
    self.plugin = plugin
    self.state = state
    self.socket = socket
  }
}
