internal import Glibc
package import Logging
package import NIOCore
internal import ServiceLifecycle

/// Knows which plugins there are: one for each good registration file in a directory.
///
/// The directory need not exist. Call ``load()`` before serving the first call and run the service while serving;
/// a change of the directory is in force within 100 ms. What a file may say is in ``Registration``; what happens to
/// a broken one in ``FileState``. A file or directory that group or others may write, or that neither root nor the
/// daemon's user owns, is refused: who writes there owns the node.
///
/// Each call takes one ``registry`` and uses that to its end.
package final class PluginsManager: Service, Sendable {
  /// As it was given.
  package let directory: String
  private let eventLoop: any EventLoop
  private let logger: Logger
  private let rescanInterval: Duration
  private let settling: Duration
  private let board = SnapshotBoard()
  private let reader: RegistrationReader

  /// - Parameters:
  ///   - directory: absolute path; default in the field: `/etc/runtime/hookserver.d`.
  ///   - eventLoop: where inotify's descriptor is read; files are never read there.
  ///   - daemonUID: whose files are trusted besides root's.
  ///   - rescanInterval: the longest time between two looks at the directory; default 10 s.
  ///   - settling: time from the first sign of a change to the look at it, so that a file that is being written is
  ///     not called broken; default 20 ms.
  package init(
    directory: String, eventLoop: any EventLoop, logger: Logger, daemonUID: UInt32 = geteuid(),
    rescanInterval: Duration = .seconds(10), settling: Duration = .milliseconds(20)
  ) {
    self.directory = directory
    self.eventLoop = eventLoop
    self.logger = logger
    self.rescanInterval = rescanInterval
    self.settling = settling
    reader = RegistrationReader(
      directory: RegistrationDirectory(path: directory, daemonUID: daemonUID), board: board, logger: logger)
  }

  /// Reads the directory completely, once.
  package func load() async {
    await reader.look()
  }

  /// Follows the directory until graceful shutdown or cancellation; the registry stays as it is then.
  package func run() async throws {
    try await cancelWhenGracefulShutdown {
      try await DirectoryWatch.watching(
        self.directory, on: self.eventLoop, atLeastEvery: self.rescanInterval, logger: self.logger
      ) { changes in
        for await _ in changes {
          try? await Task.sleep(for: self.settling)
          await self.reader.look()
        }
      }
    }
  }

  /// The plugins in force now.
  package var registry: Registry { board.newest.registry }

  /// How each registration file stands, in byte order of the names.
  package var files: [FileState] { board.newest.files }

  /// How the directory itself stands.
  package var directoryCondition: DirectoryCondition { board.newest.directory }

  /// What is known now, then whatever becomes known; a slow reader skips to the newest. Ends with the reader's task.
  package func snapshots() -> AsyncStream<RegistrationSnapshot> { board.snapshots() }
}
