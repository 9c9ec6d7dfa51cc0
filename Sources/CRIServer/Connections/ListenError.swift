internal import Glibc

/// Why the listening socket cannot be ours.
package enum ListenError: Error, Hashable, CustomStringConvertible {
  case pathTooLong(path: String, limitBytes: Int)
  case locked(path: String)
  case alive(path: String)
  case notASocket(path: String)
  case failed(action: String, path: String, errno: CInt)

  package var description: String {
    switch self {
    case .pathTooLong(let path, let limitBytes):
      "socket path \(path) has \(path.utf8.count) bytes, \(limitBytes) is the limit of the kernel"
    case .locked(let path): "\(path) is locked: another runtime-manager owns this socket"
    case .alive(let path): "socket \(path) is served by another process"
    case .notASocket(let path): "\(path) exists and is not a socket"
    case .failed(let action, let path, let errno): "cannot \(action) \(path): \(String(cString: strerror(errno)))"
    }
  }
}
