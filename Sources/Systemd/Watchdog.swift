internal import Glibc

/// How often the manager wants to hear that the service is alive (sd_watchdog_enabled(3)).
package enum Watchdog {
  /// Half of what the manager allows between two signs of life; nil if it does not watch this process.
  ///
  /// - Parameters:
  ///   - microseconds: `WATCHDOG_USEC`.
  ///   - process: `WATCHDOG_PID`; absent, every process of the service is meant.
  ///   - own: The id of this process.
  package static func interval(microseconds: String?, process: String?, own: Int32) -> Duration? {
    guard let allowed = microseconds.flatMap({ Int64($0) }), allowed > 1 else { return nil }
    if let process, process != String(own) { return nil }
    return .microseconds(allowed / 2)
  }

  /// The same, of this process and its environment.
  package static func intervalOfEnvironment() -> Duration? {
    interval(microseconds: value("WATCHDOG_USEC"), process: value("WATCHDOG_PID"), own: getpid())
  }

  private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
