internal import Glibc

/// Gives back the program text that only the start has needed.
///
/// Reading the command line touches a seventh of the program, through reflection, and the kernel counts each page
/// that it mapped as the process's memory until somebody needs the room. Text is never written to, so that dropping a
/// page loses nothing: the next call into it maps it again, from the page cache (madvise(2), MADV_DONTNEED).
/// Done after each step of the start, it keeps the peak to that of the greatest one, and the daemon 1.5 MB smaller.
enum StartPages {
  /// Takes well below a millisecond. Where the list of mappings cannot be read, nothing is given back.
  static func giveBack() {
    guard let file = fopen("/proc/self/maps", "re") else { return }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    while getline(&line, &capacity, file) > 0 {
      guard let line, let text = text(line) else { continue }
      madvise(UnsafeMutableRawPointer(bitPattern: text.lowerBound), text.count, MADV_DONTNEED)
    }
    free(line)
    fclose(file)
  }

  /// The addresses of a line of /proc/PID/maps (proc_pid_maps(5)), if it is a file's text: executable, never writable.
  ///
  /// Read as C does: Swift's strings would bring in the pages that are to go.
  static func text(_ line: UnsafePointer<CChar>) -> Range<UInt>? {
    var rest: UnsafeMutablePointer<CChar>?
    let start = strtoul(line, &rest, 16)
    guard let dash = rest, dash.pointee == UInt8(ascii: "-") else { return nil }
    let end = strtoul(dash + 1, &rest, 16)
    guard let rest, start < end, strncmp(rest, " r-xp ", 6) == 0, strchr(rest, CInt(UInt8(ascii: "/"))) != nil else {
      return nil
    }
    return start..<end
  }
}
