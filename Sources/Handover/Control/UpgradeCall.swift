internal import Glibc
internal import HandoverMessages
internal import NIOCore
internal import SwiftProtobuf

/// One upgrade, asked for from outside of the daemon.
package enum UpgradeCall {
  package enum Outcome: Sendable, Hashable {
    case done(newProcess: Int32, oldProcess: Int32, calls: Int)
    /// The old process serves on, and this is why.
    case failed(String)
    /// Nothing was begun: too many old processes finish their calls.
    case tooManyOld(String)
  }

  package enum Failure: Error, Hashable {
    /// Nobody serves the socket.
    case unreachable(errno: CInt)
    case notPermitted
    /// The daemon hung up before it said how it ended.
    case lost
  }

  /// Asks the daemon whose upgrade socket is at `path` to let `program` take over, and waits for the outcome.
  ///
  /// - Parameters:
  ///   - program: Absolute path.
  ///   - timeout: For the new process, from its start until it serves.
  package static func make(at path: String, program: String, timeout: Duration) throws(Failure) -> Outcome {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .unreachable(errno: errno) }
    defer { close(descriptor) }
    guard connect(descriptor, to: path) else {
      throw errno == EACCES ? .notPermitted : .unreachable(errno: errno)
    }
    let request = HandoverUpgradeRequest.with {
      $0.program = program
      $0.timeoutMs = UInt32(clamping: timeout.components.seconds * 1000)
    }
    let bytes = Array(FrameBuffer.bytes(.request(request)).readableBytesView)
    guard send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { throw .lost }
    return try outcome(from: descriptor)
  }

  private static func outcome(from descriptor: CInt) throws(Failure) -> Outcome {
    var buffer = FrameBuffer()
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      if let frame = try? buffer.next() {
        guard case .answer(let answer) = frame.content else { throw .lost }
        return outcome(answer)
      }
      let count = recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 || errno == EINTR else { throw .lost }
      buffer.append(ByteBuffer(bytes: bytes.prefix(max(0, count))))
    }
  }

  private static func outcome(_ answer: HandoverUpgradeAnswer) -> Outcome {
    switch answer.outcome {
    case .done: .done(newProcess: answer.newProcess, oldProcess: answer.oldProcess, calls: Int(answer.calls))
    case .tooMany: .tooManyOld(answer.text)
    case .failed, .busy, .UNRECOGNIZED: .failed(answer.text)
    }
  }

  private static func connect(_ descriptor: CInt, to path: String) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      errno = ENAMETOOLONG
      return false
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }
}
