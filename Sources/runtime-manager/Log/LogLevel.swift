internal import Logging
internal import Synchronization

/// From which level on the daemon logs: one for all its loggers, which may change while it runs.
final class LogLevel: Sendable {
  private let level: Mutex<Logger.Level>

  init(_ level: Logger.Level) { self.level = Mutex(level) }

  var current: Logger.Level {
    get { level.withLock { $0 } }
    set { level.withLock { $0 = newValue } }
  }

  /// Handlers as `make` makes them, which follow this level.
  func followed(by make: @escaping @Sendable (String) -> any LogHandler) -> @Sendable (String) -> any LogHandler {
    { Handler(level: self, base: make($0)) }
  }

  private struct Handler: LogHandler {
    let level: LogLevel
    var base: any LogHandler

    var logLevel: Logger.Level {
      get { level.current }
      // A logger has no level of its own.
      set {}
    }

    var metadata: Logger.Metadata {
      get { base.metadata }
      set { base.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
      get { base.metadataProvider }
      set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { base[metadataKey: key] }
      set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { base.log(event: event) }
  }
}
