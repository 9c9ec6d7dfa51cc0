internal import Glibc

/// Where an upgrade goes from one step to the next: tests have the process killed there.
///
/// `RUNTIME_MANAGER_TEST_KILL_AT=upgrade:<step>` arms one of them, by its exact name, as it does the steps of calls.
enum HandoverStep: String {
  // Of the old process.
  /// The new one has been started.
  case started
  /// It has said that it can take over.
  case greeted
  /// Nobody accepts connections; nothing has been given yet.
  case closed
  /// Everything has been given.
  case given
  /// The new one has said that it serves.
  case finishing

  // Of the new process.
  /// It is set up and has said nothing.
  case ready
  /// It has said so.
  case greeting
  /// It has everything.
  case taken
  /// It accepts connections, and has not said so.
  case accepting
  /// It has said so.
  case serving

  private static let armed = getenv("RUNTIME_MANAGER_TEST_KILL_AT").map { String(cString: $0) }

  /// Kills the process if this step is the armed one.
  func pass() {
    guard let armed = Self.armed, armed == "upgrade:\(rawValue)" else { return }
    kill(getpid(), SIGKILL)
  }
}
