internal import FoundationEssentials
internal import Logging

/// Looks at the directory, one look at a time, and posts what it means.
///
/// An actor, because a look is blocking disk I/O that must neither run on the caller's executor, which may be an
/// event loop, nor overlap with another look and be overtaken by it.
actor RegistrationReader {
  private let directory: RegistrationDirectory
  private let board: SnapshotBoard
  private let logger: Logger
  private var state = RegistrationState()

  init(directory: RegistrationDirectory, board: SnapshotBoard, logger: Logger) {
    self.directory = directory
    self.board = board
    self.logger = logger
  }

  /// When it returns, the board shows what the directory has now, and each change is logged.
  func look() {
    let events = state.apply(directory.scan(), at: Date())
    guard !events.isEmpty else { return }
    board.post(state.snapshot)
    for event in events { logger.log(level: event.level, "\(event)") }
  }
}
