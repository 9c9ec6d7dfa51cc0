internal import Glibc

/// The way to the service manager: one datagram for each message to the socket that `NOTIFY_SOCKET` names
/// (sd_notify(3), systemd's "$NOTIFY_SOCKET protocol").
///
/// Nobody waits for an answer: a manager that does not listen costs nothing. It may be used from any thread.
package struct NotifySocket: Sendable {
  /// What `sun_path` holds (unix(7)); an abstract name may fill it.
  private static let nameLimitBytes = 108

  private let address: sockaddr_un
  private let addressBytes: socklen_t

  /// - Parameter name: An absolute path, or `@` and an abstract name; the value of `NOTIFY_SOCKET`.
  /// - Returns: Nil for anything else, vsock addresses included, which no manager gives to a process of this machine.
  package init?(name: String) {
    var bytes = Array(name.utf8)
    guard bytes.count > 1, bytes.count <= Self.nameLimitBytes else { return nil }
    switch bytes[0] {
    case UInt8(ascii: "@"): bytes[0] = 0
    // A path has its end.
    case UInt8(ascii: "/") where bytes.count < Self.nameLimitBytes: bytes.append(0)
    default: return nil
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    self.address = address
    addressBytes = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
  }

  /// The manager that started this process; nil if none did that wants to hear of it.
  package static func ofEnvironment() -> NotifySocket? {
    getenv("NOTIFY_SOCKET").flatMap { NotifySocket(name: String(cString: $0)) }
  }

  /// Says all of `news` in one message.
  ///
  /// - Returns: Whether it was taken.
  @discardableResult
  package func tell(_ news: [ServiceNews]) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let text = news.map(\.line).joined(separator: "\n")
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return sendto(descriptor, text, text.utf8.count, flags, address, addressBytes) >= 0
      }
    }
  }
}
