/// Which file a socket path names now. A restarted plugin binds anew and gets another one.
package struct SocketIdentity: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  /// When the file was made, or its mode or owner changed; nanoseconds since 1970. Most file systems give an inode
  /// number that has become free to the next file: the number alone does not tell a new socket.
  package var changedNanoseconds: Int64

  package init(device: UInt64, inode: UInt64, changedNanoseconds: Int64 = 0) {
    self.device = device
    self.inode = inode
    self.changedNanoseconds = changedNanoseconds
  }
}
