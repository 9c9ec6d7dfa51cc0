internal import Glibc

/// Where log lines go: stderr, each in one piece.
///
/// Much of a line is what others wrote: names of pods, words of plugins and of the runtime. What would break the
/// line, or drive a terminal that shows it, is escaped here, so that nobody else writes a line of the log.
struct LogStream: TextOutputStream, Sendable {
  /// - Parameter line: One line with its end, as swift-log's handler gives it.
  mutating func write(_ line: String) {
    let text = line.hasSuffix("\n") ? line.dropLast() : line[...]
    var left = Array((Self.escaped(text) + "\n").utf8)[...]
    while !left.isEmpty {
      let count = Glibc.write(STDERR_FILENO, Array(left), left.count)
      // Nobody takes it: there is nowhere to say so.
      guard count > 0 || errno == EINTR else { return }
      left = left.dropFirst(max(count, 0))
    }
  }

  static func escaped(_ text: Substring) -> String {
    guard text.unicodeScalars.contains(where: drives) else { return String(text) }
    return text.unicodeScalars.map { drives($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
  }

  static func drives(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
