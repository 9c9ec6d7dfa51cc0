internal import CProcess
internal import Synchronization

/// Gives back the program's text and constants that only the start has needed.
///
/// Reading the command line touches a seventh of the program, through reflection, and the kernel counts each page
/// that it mapped as the process's memory until somebody needs the room. These pages are never written to, so that
/// dropping one loses nothing: the next use maps it again, from the page cache (madvise(2), MADV_DONTNEED).
/// Done after each step of the start, it keeps the peak to that of the greatest one, and a daemon that has just
/// started is 3 MB smaller.
enum StartPages {
  private static let startIsOver = Atomic(false)

  /// Takes well below a millisecond; nothing once the start is over.
  static func giveBack() {
    if !startIsOver.load(ordering: .relaxed) { process_drop_unwritable_pages() }
  }

  /// Gives back for the last time: what is used from now on will be used again.
  static func startIsDone() {
    giveBack()
    startIsOver.store(true, ordering: .relaxed)
  }
}
