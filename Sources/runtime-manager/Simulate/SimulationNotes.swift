internal import Logging
internal import Synchronization

/// The log of a simulation, kept to be shown where it belongs.
final class SimulationNotes: Sendable {
  private let lines = Mutex<[String]>([])

  var logger: Logger { Logger(label: "simulate") { _ in Handler(notes: self) } }

  /// What was logged since the last time.
  func take() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  private struct Handler: LogHandler {
    let notes: SimulationNotes
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      // What is refused is told by the refusal itself.
      guard event.metadata?["verdict"] != "refused" else { return }
      let verdict = event.metadata?["verdict"].map { "\($0): " } ?? ""
      notes.lines.withLock { $0.append("\(verdict)\(event.message)") }
    }
  }
}
