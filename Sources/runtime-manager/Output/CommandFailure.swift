internal import ArgumentParser

/// Why a command does not do what it was asked: one line on stderr, and how the program ends.
///
/// The one way out for everything but a wrong command line, which is ArgumentParser's, and findings, which are no
/// failure: a command that has printed them throws ``ArgumentParser/ExitCode/findings``.
struct CommandFailure: Error {
  /// What failed, on what, why; without the program's name and a full stop.
  var message: String
  var code: ExitCode
}
