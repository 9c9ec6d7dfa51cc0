internal import Glibc

/// Files that say what is done on this node, and so are taken from trusted hands only.
///
/// All of it is blocking disk I/O: never to be called on an event loop.
package enum TrustedFile {
  /// Reads a file, following links.
  ///
  /// - Parameter daemonUID: whose files are trusted besides root's.
  /// - Returns: `nil` if there is no such file. Of a file that is too large one byte more than the limit is read.
  package static func read(
    _ path: String, limitBytes: Int, daemonUID: UInt32 = geteuid()
  ) throws(RegistrationError) -> [UInt8]? {
    // A FIFO without a writer must not block us.
    switch OpenFile.open(path, in: AT_FDCWD, flags: O_NONBLOCK | O_NOCTTY) {
    case .success(let opened):
      return try content(of: opened, file: path, limitBytes: limitBytes, daemonUID: daemonUID)
    case .failure(let error) where error.code == ENOENT:
      return nil
    case .failure(let error):
      throw .unreadable(path: path, operation: "open", reason: error.description)
    }
  }

  static func content(
    of opened: OpenFile, file: String, limitBytes: Int, daemonUID: UInt32
  ) throws(RegistrationError) -> [UInt8] {
    let status = try status(of: opened, path: file)
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(file: file) }
    try checkAccess(to: file, status: status, daemonUID: daemonUID)
    switch opened.read(upTo: limitBytes + 1) {
    case .success(let bytes): return bytes
    case .failure(let error): throw .unreadable(path: file, operation: "read", reason: error.description)
    }
  }

  static func isDirectory(_ opened: OpenFile, path: String) throws(RegistrationError) -> Bool {
    try status(of: opened, path: path).st_mode & S_IFMT == S_IFDIR
  }

  /// Who writes here owns the node.
  static func checkAccess(to path: String, status: stat, daemonUID: UInt32) throws(RegistrationError) {
    guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
      throw .writableByOthers(path: path, mode: status.st_mode & 0o7777)
    }
    guard status.st_uid == 0 || status.st_uid == daemonUID else {
      throw .wrongOwner(path: path, uid: status.st_uid, daemonUID: daemonUID)
    }
  }

  static func status(of opened: OpenFile, path: String) throws(RegistrationError) -> stat {
    switch opened.status() {
    case .success(let status): return status
    case .failure(let error): throw .unreadable(path: path, operation: "fstat", reason: error.description)
    }
  }
}
