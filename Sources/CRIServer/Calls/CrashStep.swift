internal import Glibc

/// Where a hooked call goes from one step to the next: tests have the process killed there, to see what a crash
/// leaves behind.
///
/// `RUNTIME_MANAGER_TEST_KILL_AT=<verb>:<step>` in the environment arms one of them, by its exact name. It is no flag
/// and nothing that a user needs; without it a step is one look at a constant.
enum CrashStep: String {
  /// The request is here, whole.
  case collected
  /// Whom the call is about is known; Pre hooks come next.
  case known
  /// Our own update, which a plugin asked for before the start, is in force.
  case updatedBefore
  /// Pre hooks are over; the runtime is asked next.
  case allowed
  /// The runtime has answered, and nobody knows yet.
  case answered
  /// Post hooks have answered.
  case told
  /// Our own update, which a plugin asked for after the start, is in force.
  case updatedAfter
  /// PostStartContainer was refused; the container runs.
  case refused
  /// Our own stop of that container has been answered.
  case stopped
  /// kubelet's answer has left; the Store is told next.
  case replied
  /// All of it is over.
  case settled

  private static let armed = getenv("RUNTIME_MANAGER_TEST_KILL_AT").map { String(cString: $0) }

  /// Kills the process if this step of `verb` is the armed one.
  func pass(_ verb: Verb) {
    guard let armed = Self.armed, armed == "\(verb.rawValue):\(rawValue)" else { return }
    kill(getpid(), SIGKILL)
  }
}
