internal import Glibc

/// What a service tells its manager (sd_notify(3), "Well-known assignments").
package enum ServiceNews: Sendable, Hashable {
  /// Starting is over.
  case ready
  /// Ending has begun.
  case stopping
  /// What it is doing, for people: `systemctl status` shows it.
  case status(String)
  /// From now on this process is the service, not the one that the manager started.
  case mainProcess(Int32)
  /// It is alive.
  case watchdog

  /// The assignment, on one line whatever a text holds: a line of its own would be another assignment.
  package var line: String {
    switch self {
    case .ready: "READY=1"
    case .stopping: "STOPPING=1"
    case .status(let text): "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    case .mainProcess(let id): "MAINPID=\(id)"
    case .watchdog: "WATCHDOG=1"
    }
  }
}
