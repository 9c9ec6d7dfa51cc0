/// From which level on the daemon logs.
package struct LogLevelDocument: Codable, Sendable, Hashable {
  /// One of swift-log's: `trace`, `debug`, `info`, `notice`, `warning`, `error`, `critical`.
  package var level: String

  package init(level: String) { self.level = level }
}
