internal import Glibc
internal import Synchronization

/// The watches that a path needs: on the directory itself, and on every directory that the way there leads through.
///
/// The way is walked one name at a time, links resolved by hand, and each directory is watched for the name looked
/// up in it *before* that name is looked up. So there is no moment at which a part of the way could change unseen,
/// be it created, removed, renamed or a link that leads elsewhere. Where the way ends too early, the nearest
/// existing ancestor is watched for the name that is missing.
final class PathWatches: Sendable {
  private let inotify: Inotify
  private let path: String
  /// Read by the event loop; held for moments only.
  private let interests = Mutex<[CInt: Interest]>([:])

  /// Not opening and reading, or our own scans would wake us.
  private static let changesInside = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
  private static let changesItself = UInt32(IN_DELETE_SELF | IN_MOVE_SELF)
  private static let changesOfContent = UInt32(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)

  /// - Parameter path: absolute.
  init(path: String, inotify: Inotify) {
    self.path = path
    self.inotify = inotify
  }

  /// Whether the event may have changed the directory or the way there.
  func concerns(_ event: InotifyEvent) -> Bool {
    if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
    // Says that a watch is gone; that the directory is gone was said before.
    if event.mask & UInt32(IN_IGNORED) != 0 { return false }
    // A watch that is not noted was set or dropped a moment ago.
    return interests.withLock { $0[event.watch]?.covers(event) ?? true }
  }

  /// Walks the way anew and sets the watches it needs now. Looks paths up on disk: not for an event loop, and only
  /// one call at a time.
  ///
  /// - Returns: the directories that could not be watched, and why; changes there go unseen.
  func renew() -> [String: SystemError] {
    var walk = PathWalk(path)
    var used: [CInt: Interest] = [:]
    var unwatched: [String: SystemError] = [:]
    repeat {
      let mask = Self.changesInside | Self.changesItself | (walk.nextName == nil ? Self.changesOfContent : 0)
      switch inotify.watch(walk.directory, for: mask) {
      case .success(let watch):
        used[watch, default: Interest()].add(walk.nextName)
        let interest = used[watch] ?? Interest()
        // What mattered before goes on to matter until the end of the walk.
        interests.withLock { $0[watch] = $0[watch].map { $0.union(interest) } ?? interest }
      case .failure(let error) where error.code == ENOENT || error.code == ENOTDIR:
        // Gone since its name was looked up, which the watch there tells.
        break
      case .failure(let error):
        unwatched[walk.directory] = error
      }
    } while walk.advance()

    let unused = interests.withLock { interests in
      let unused = interests.keys.filter { used[$0] == nil }
      interests = used
      return unused
    }
    unused.forEach(inotify.stopWatching)
    return unwatched
  }
}

extension PathWatches {
  /// What an event in a directory must be about to matter.
  private struct Interest {
    private var names: Set<[UInt8]> = []
    /// The way ends here: every name matters.
    private var isDestination = false

    mutating func add(_ name: String?) {
      if let name {
        names.insert(Array(name.utf8))
      } else {
        isDestination = true
      }
    }

    func union(_ other: Interest) -> Interest {
      var both = self
      both.names.formUnion(other.names)
      both.isDestination = isDestination || other.isDestination
      return both
    }

    func covers(_ event: InotifyEvent) -> Bool {
      isDestination || event.name.isEmpty || names.contains(event.name)
    }
  }
}
