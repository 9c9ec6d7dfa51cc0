internal import ArgumentParser
internal import Logging

/// How a line of the log is written.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
  /// For people: time, level, label, metadata, message.
  case text
  /// For programs: one JSON object a line.
  case json

  func handler(label: String) -> any LogHandler {
    switch self {
    case .text: StreamLogHandler(label: label, stream: LogStream(), metadataProvider: nil)
    case .json: JSONLogHandler(label: label, stream: LogStream())
    }
  }
}
