/// What grows has a limit, and what waits has a deadline: no admin client may cost the calls anything.
package enum AdminLimits {
  /// Connections at once to one socket; further ones are closed.
  static let connections = 32
  /// A request's line and headers, and a request's content.
  static let headBytes = 16 << 10
  static let contentBytes = 4 << 10
  static let headerFields = 64
  /// Requests of one connection that wait for the answers to earlier ones.
  static let pipelined = 256
  /// How long a client may take to send a request, to send the next one, or to take an answer.
  static let patience = Duration.seconds(30)
  /// How long a reader of events may take none.
  static let eventPatience = Duration.seconds(300)
  /// How long a client that we are done with may take to hang up.
  static let linger = Duration.seconds(2)
  /// How long the event loop of the calls may take to show that it is alive.
  static let pulse = Duration.seconds(5)
  /// One answer, as the command line takes it.
  static let answerBytes = 64 << 20
}
