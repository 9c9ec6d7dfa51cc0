internal import Glibc

/// Device and inode: whether a path still names the file that it named before.
struct FileIdentity: Hashable {
  let device: UInt
  let inode: UInt

  /// Nil if nothing is there; links are not followed.
  init?(path: String) {
    var information = stat()
    guard lstat(path, &information) == 0 else { return nil }
    device = UInt(information.st_dev)
    inode = UInt(information.st_ino)
  }
}
