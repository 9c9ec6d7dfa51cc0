internal import NIOCore

/// What grows has a limit (design, "The wire" and "What a hooked call does").
package enum ServerLimits {
  /// Connections at once; further ones are closed.
  static let connections = 256
  /// Calls that wait for a runtime that has never answered, and the bytes that they hold.
  static let waitingCalls = 1000
  static let waitingBytes = 16 << 20
  /// One message of a hooked call, in either direction.
  static let messageBytes = 16 << 20
  /// What all hooked calls together hold of requests that are being collected.
  static let collectedBytes = 64 << 20
  /// The copy that is kept of an observed call's messages; a larger one is not observed.
  static let observedBytes = 1 << 20
  /// What may wait to be told to the Store, and for how long: reports, and bytes that one holds.
  static let reports = 16
  static let reportBytes = 64 << 10
  static let reportDelay = TimeAmount.milliseconds(5)
  /// How long calls in flight may take after SIGTERM.
  static let drain: Duration = .seconds(30)
}
