import Logging

/// What the real modules log, from warnings on, goes where `tell` takes it: a schedule that failed is easier to read so.
struct StoryLog: LogHandler {
  let tell: @Sendable (String) -> Void
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning

  static func logger(_ tell: @escaping @Sendable (String) -> Void) -> Logger {
    Logger(label: "model") { _ in StoryLog(tell: tell) }
  }

  init(tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    tell("\(event.message)\(metadata)")
  }
}
