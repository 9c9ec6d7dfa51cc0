internal import Glibc

/// The socket that kubelet dials: bound under a lock, never stolen from a live owner, and 0600 until the
/// runtime's own socket tells whose it should be.
///
/// Beside the socket lies `<path>.lock`. Whoever holds it owns the path; it stays when we leave, because a
/// lock file that is removed can be locked twice. A process that takes over has both descriptors from the one before,
/// and with them the same socket and the same lock (flock(2): it belongs to the open file, not to a process).
package struct ListeningSocket: ~Copyable {
  package let path: String
  /// Stays open until ``remove()`` or ``release()``; whoever serves it serves ``descriptorToServe()``.
  package let descriptor: CInt
  package let lock: CInt
  private let identity: FileIdentity
  /// The service manager's: it stays when we leave.
  package let isActivated: Bool

  /// Binds `path` and listens.
  ///
  /// A missing parent directory is made with mode 0755. A socket that nobody serves is replaced.
  ///
  /// - Throws: ``ListenError``.
  package static func bind(_ path: String) throws(ListenError) -> ListeningSocket {
    guard path.utf8.count <= UnixAddress.maxPathBytes else {
      throw .pathTooLong(path: path, limitBytes: UnixAddress.maxPathBytes)
    }
    try makeParentDirectory(of: path)
    let lock = try takeLock(path + ".lock")
    do throws(ListenError) {
      try removeStaleSocket(path)
      let descriptor = try bindAndListen(path)
      guard let identity = FileIdentity(path: path) else {
        close(descriptor)
        throw .failed(action: "find the socket just bound", path: path, errno: errno)
      }
      return ListeningSocket(
        path: path, descriptor: descriptor, lock: lock, identity: identity, isActivated: false)
    } catch {
      close(lock)
      throw error
    }
  }

  /// Takes the socket that the service manager has bound to `path`, under the same lock.
  ///
  /// It is never unlinked, and otherwise treated as one of our own.
  ///
  /// - Throws: ``ListenError``.
  package static func activated(_ descriptor: CInt, path: String) throws(ListenError) -> ListeningSocket {
    let lock = try takeLock(path + ".lock")
    guard let identity = FileIdentity(path: path) else {
      close(lock)
      throw .failed(action: "find the socket that was handed over", path: path, errno: errno)
    }
    return ListeningSocket(path: path, descriptor: descriptor, lock: lock, identity: identity, isActivated: true)
  }

  /// Goes on with the socket and the lock of the process before.
  ///
  /// - Parameter isActivated: It is the service manager's.
  /// - Throws: ``ListenError`` if somebody has taken its place away.
  package static func inherited(
    _ descriptor: CInt, lock: CInt, path: String, isActivated: Bool
  ) throws(ListenError) -> ListeningSocket {
    guard let identity = FileIdentity(path: path) else {
      throw .failed(action: "find the socket that was taken over", path: path, errno: errno)
    }
    return ListeningSocket(
      path: path, descriptor: descriptor, lock: lock, identity: identity, isActivated: isActivated)
  }

  private init(path: String, descriptor: CInt, lock: CInt, identity: FileIdentity, isActivated: Bool) {
    self.path = path
    self.descriptor = descriptor
    self.lock = lock
    self.identity = identity
    self.isActivated = isActivated
  }

  /// A descriptor of the same socket for a server, which owns it.
  ///
  /// - Throws: ``ListenError``, for example when there are no free descriptors.
  package func descriptorToServe() throws(ListenError) -> CInt {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw .failed(action: "copy the descriptor of", path: path, errno: errno) }
    return copy
  }

  private static func takeLock(_ path: String) throws(ListenError) -> CInt {
    let lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw .failed(action: "open the lock file", path: path, errno: errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw .locked(path: path)
    }
    return lock
  }

  /// Takes the socket away, unless it is the service manager's or somebody put another in its place, and gives the
  /// lock back.
  package consuming func remove() {
    if !isActivated, FileIdentity(path: path) == identity { unlink(path) }
    release()
  }

  /// Leaves socket and lock to the process that has taken over.
  package consuming func release() {
    close(descriptor)
    close(lock)
  }

  /// Gives the socket the mode and owner of the runtime's socket at `runtimePath`, never wider than 0660.
  ///
  /// - Returns: What was done, for the log; nil if there was nothing to do, the runtime's
  ///   socket is not there, or it could not be done.
  package func adopt(ownerOf runtimePath: String) -> String? {
    var information = stat()
    guard stat(runtimePath, &information) == 0, FileIdentity(path: path) == identity else { return nil }
    let mode = information.st_mode & 0o660
    var ours = stat()
    guard stat(path, &ours) == 0,
      (ours.st_mode & 0o7777, ours.st_uid, ours.st_gid) != (mode, information.st_uid, information.st_gid)
    else { return nil }
    // Only its owner may set a file's mode; to change owners takes one capability less than to be above that.
    guard ours.st_uid == geteuid() || chown(path, geteuid(), ours.st_gid) == 0, chmod(path, mode) == 0,
      chown(path, information.st_uid, information.st_gid) == 0
    else { return nil }
    return "mode 0\(String(mode, radix: 8)), owner \(information.st_uid):\(information.st_gid)"
  }

  /// Why the socket's place is not safe, for the log; nil if it is.
  package var weakness: String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let directory = slash == path.startIndex ? "/" : String(path[..<slash])
    var information = stat()
    guard stat(directory, &information) == 0, information.st_mode & (S_IWGRP | S_IWOTH) != 0 else { return nil }
    let mode = String(information.st_mode & 0o7777, radix: 8)
    return "\(directory) is writable by others (mode 0\(mode)): who writes there can put another socket in its place"
  }

  private static func makeParentDirectory(of path: String) throws(ListenError) {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
    let parent = String(path[..<slash])
    var information = stat()
    if stat(parent, &information) == 0 { return }
    try makeParentDirectory(of: parent)
    guard mkdir(parent, 0o755) == 0 || errno == EEXIST else {
      throw .failed(action: "make the directory", path: parent, errno: errno)
    }
    chmod(parent, 0o755)
  }

  private static func removeStaleSocket(_ path: String) throws(ListenError) {
    var information = stat()
    guard lstat(path, &information) == 0 else { return }
    guard information.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard probe >= 0 else { throw .failed(action: "open a socket to try", path: path, errno: errno) }
    defer { close(probe) }
    // A full backlog (EAGAIN) is a sign of life; only a refusal proves that nobody listens.
    if UnixAddress.withPointer(to: path, { connect(probe, $0, $1) }) == 0 || errno != ECONNREFUSED {
      throw .alive(path: path)
    }
    guard unlink(path) == 0 else { throw .failed(action: "remove the stale socket", path: path, errno: errno) }
  }

  /// A socket at `path`, where there is none, with mode 0600.
  ///
  /// - Throws: ``ListenError``.
  package static func bindAndListen(_ path: String) throws(ListenError) -> CInt {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .failed(action: "open a socket for", path: path, errno: errno) }
    // bind(2) gives the file the mode of the socket: it is never reachable for others, not for a moment.
    fchmod(descriptor, 0o600)
    let bound = UnixAddress.withPointer(to: path) { Glibc.bind(descriptor, $0, $1) }
    guard bound == 0, listen(descriptor, SOMAXCONN) == 0 else {
      let reason = errno
      close(descriptor)
      throw .failed(action: "bind", path: path, errno: reason)
    }
    return descriptor
  }
}
