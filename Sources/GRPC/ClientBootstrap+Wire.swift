internal import Glibc
package import NIOCore
package import NIOPosix

/// The channel options of every connection, kubelet's, the runtime's and the plugins'.
package enum WireOptions {
  /// When a channel stops being writable, and when it is again: the back-pressure signal.
  package static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)
  package static let receive = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 4096, maximum: 256 << 10)
  /// One read for each wake-up.
  package static let messagesPerRead: UInt = 1
}

extension ClientBootstrap {
  package func wireOptions() -> ClientBootstrap {
    channelOption(.writeBufferWaterMark, value: WireOptions.waterMark)
      .channelOption(.recvAllocator, value: WireOptions.receive)
      .channelOption(.maxMessagesPerRead, value: WireOptions.messagesPerRead)
  }
}

/// `struct ucred` of unix(7), which glibc declares only for programs of its own dialect.
private struct PeerCredentials: Sendable {
  var processID: Int32
  var userID: UInt32
  var groupID: UInt32
}

extension Channel {
  /// Who owns the process at the other end of this unix socket, at the time it began to listen (unix(7),
  /// SO_PEERCRED).
  package func peerUserID() -> EventLoopFuture<UInt32> {
    guard let socket = self as? any SocketOptionProvider else {
      return eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }
    let credentials: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(
      level: NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET), name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
    return credentials.map { $0.userID }
  }
}
