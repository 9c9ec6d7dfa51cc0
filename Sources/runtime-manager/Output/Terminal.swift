internal import Glibc

/// What the output is laid out for.
struct Terminal: Sendable {
  /// Narrower ones are written to as if they had as many columns.
  static let leastWidth = 20

  /// Columns of a line; `nil`: no limit, as for a file or a pipe.
  var width: Int?
  var hasColour: Bool

  init(width: Int? = nil, hasColour: Bool = false) {
    self.width = width.map { max($0, Self.leastWidth) }
    self.hasColour = hasColour
  }

  /// As stdout is: a terminal or not, as wide as `COLUMNS` or else the kernel says, and in colour unless `NO_COLOR` is
  /// set (no-color.org) or the terminal is dumb.
  static func ofStandardOutput(
    environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }
  ) -> Terminal {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let told = environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let plain = environment("NO_COLOR").map { !$0.isEmpty } ?? false
    return Terminal(
      width: told ?? (isTerminal ? columns() : nil),
      hasColour: isTerminal && !plain && environment("TERM") != "dumb")
  }

  private static func columns() -> Int? {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  func styled(_ text: String, _ style: TextStyle) -> String {
    guard hasColour, let code = style.code, !text.isEmpty else { return text }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}
