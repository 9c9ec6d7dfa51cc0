internal import Glibc

/// `sockaddr_un` (unix(7)).
enum UnixAddress {
  /// One byte of `sun_path` is kept for its end.
  static let maxPathBytes = 107

  /// Calls `body` with the address of `path`, which must be at most ``maxPathBytes`` long.
  static func withPointer<Result>(
    to path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(maxPathBytes)) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}
