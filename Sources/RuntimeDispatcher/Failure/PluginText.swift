/// Text that a plugin chose, on its way into a status or a log line.
enum PluginText {
  /// Design, "Failure": the plugin's own part of a message is cut to this.
  static let limitBytes = 1024

  /// `text`, or as many of its leading characters as fit into ``limitBytes``; always whole Unicode scalars. What
  /// would break the line, or a terminal that shows it, is escaped: nobody else writes a line of the log.
  static func cut(_ text: String) -> String {
    let text = beginning(of: text)
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return text.unicodeScalars.map { isControl($0) ? $0.escaped(asASCII: true) : String($0) }.joined()
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  private static func beginning(of text: String) -> String {
    guard text.utf8.count > limitBytes else { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: limitBytes)
    while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return String(text[..<end])
  }
}
