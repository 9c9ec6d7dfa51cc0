internal import Glibc

/// A terminal whose whole screen is drawn anew again and again; when it is left, all is as it was.
///
/// Draws on the alternate screen (xterm's 1049), without a cursor and without an echo of what is typed meanwhile. Ctrl-C
/// still interrupts.
final class Screen: Sendable {
  private let before: termios?

  init() {
    var settings = termios()
    before = tcgetattr(STDIN_FILENO, &settings) == 0 ? settings : nil
    if before != nil {
      settings.c_lflag &= ~tcflag_t(ECHO)
      tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }
    StandardOutput.write("\u{1B}[?1049h\u{1B}[?25l")
  }

  /// To be called once, at the end.
  func leave() {
    StandardOutput.write("\u{1B}[?25h\u{1B}[?1049l")
    guard var before else { return }
    tcsetattr(STDIN_FILENO, TCSANOW, &before)
  }

  /// Rows of the terminal now.
  static var rows: Int {
    var size = winsize()
    return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
  }

  /// Shows these lines, those for which there is no room left out. Each replaces the one that was there, so that nothing
  /// flickers.
  func draw(_ lines: [String]) {
    let shown = lines.prefix(Self.rows).map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
    StandardOutput.write("\u{1B}[H\(shown)\u{1B}[J")
  }
}
