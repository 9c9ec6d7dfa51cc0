/// Which file a socket path names now. A restarted plugin binds anew and gets another one.
package struct SocketIdentity: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}
