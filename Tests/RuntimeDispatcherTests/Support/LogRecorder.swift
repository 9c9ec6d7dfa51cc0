import Logging
import Synchronization

/// Keeps what was logged, metadata included, as one text a line.
final class LogRecorder: Sendable {
  private let recorded = Mutex<[(level: Logger.Level, text: String)]>([])

  var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

  /// The lines of `level` or above.
  func lines(from level: Logger.Level = .warning) -> [String] {
    recorded.withLock { $0.filter { $0.level >= level }.map(\.text) }
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
      recorder.recorded.withLock { $0.append((event.level, "\(event.message)\(metadata)")) }
    }
  }
}
