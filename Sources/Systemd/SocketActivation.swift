internal import Glibc

/// The listening socket that the service manager opened for this process (sd_listen_fds(3)).
package enum SocketActivation {
  /// The first descriptor that is handed over.
  private static let firstDescriptor: CInt = 3

  /// The socket that listens on `path`, if the manager handed one over. It is close-on-exec from now on.
  ///
  /// - Throws: ``ActivationError`` if something else was handed over: whoever wrote the socket unit must know.
  package static func socket(listeningOn path: String) throws(ActivationError) -> CInt? {
    let count = try count(
      descriptors: value("LISTEN_FDS"), process: value("LISTEN_PID"), names: value("LISTEN_FDNAMES"), own: getpid())
    guard count > 0 else { return nil }
    let descriptor = firstDescriptor
    guard let type = option(SO_TYPE, of: descriptor) else { throw .notASocket }
    var address = sockaddr_un()
    var bytes = socklen_t(MemoryLayout<sockaddr_un>.size)
    let named = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &bytes) }
    }
    guard named == 0, address.sun_family == sa_family_t(AF_UNIX), type == CInt(SOCK_STREAM.rawValue) else {
      throw .notAUnixStream
    }
    guard option(SO_ACCEPTCONN, of: descriptor) == 1 else { throw .notListening }
    let bound = withUnsafeBytes(of: address.sun_path) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    guard bound == path else { throw .otherPath(bound) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  /// How many descriptors are meant for the process `own`: none or one.
  static func count(
    descriptors: String?, process: String?, names: String?, own: Int32
  ) throws(ActivationError) -> Int {
    // Those of a parent are not ours.
    guard let descriptors, process == String(own) else { return 0 }
    guard let count = Int(descriptors), count >= 0 else { throw .unreadable(descriptors) }
    guard count <= 1 else { throw .several(count, names: names ?? "") }
    return count
  }

  private static func option(_ name: CInt, of descriptor: CInt) -> CInt? {
    var value: CInt = 0
    var bytes = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &bytes) == 0 ? value : nil
  }

  private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
