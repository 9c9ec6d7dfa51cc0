internal import ArgumentParser

/// How the program ends (README.md, "Exit codes"). The numbers from 64 on are those of sysexits.h.
extension ExitCode {
  /// It did its work and has something to report: an error in a file, an id that nobody knows.
  static let findings = ExitCode(1)
  /// EX_USAGE: the command line is wrong. Nothing was bound or read.
  static let usage = ExitCode(64)
  /// EX_NOINPUT: a file that was named is not there or cannot be read.
  static let noInput = ExitCode(66)
  /// EX_UNAVAILABLE: the daemon or the runtime cannot be reached, or the socket to serve belongs to somebody else.
  static let unavailable = ExitCode(69)
  /// EX_TEMPFAIL: it cannot be done now, and can be later.
  static let tryAgain = ExitCode(75)
  /// EX_NOPERM: this user may not do that.
  static let notPermitted = ExitCode(77)
  /// EX_CONFIG: the configuration file or a variable of the environment is wrong.
  static let configuration = ExitCode(78)
}
