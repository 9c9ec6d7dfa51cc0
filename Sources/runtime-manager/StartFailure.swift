internal import ArgumentParser

/// Why the daemon does not start, for one line on stderr.
struct StartFailure: Error {
  /// EX_UNAVAILABLE of sysexits.h: the socket belongs to somebody else.
  static let unavailable = ExitCode(69)

  var message: String
  var code: ExitCode
}
