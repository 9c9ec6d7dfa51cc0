package import CRIServer
internal import Glibc
internal import HandoverMessages
package import NIOCore
internal import NIOPosix

/// The socket of `runtime-manager upgrade`: beside the one that kubelet dials, for this user and root alone. It goes with
/// that one from process to process. Confined to the event loop.
// Unchecked, because it is confined to that event loop: its channels reach it through `NIOLoopBound`, which traps elsewhere,
// and its async entries are called by ``Succession``, whose tasks run on the event loop's executor.
package final class ControlSocket: @unchecked Sendable {
  private static let connections = 16

  private let path: String
  private let eventLoop: any EventLoop
  /// Stays open; what is served is a copy.
  private(set) var descriptor: CInt?
  private var listener: (any Channel)?
  private var isServing = false
  private var links: [ObjectIdentifier: Link] = [:]
  private var whenFrame: (HandoverFrame.OneOf_Content, Link) -> Void = { _, _ in }

  /// Where it is, for a daemon that serves `path`.
  package static func path(for path: String) -> String { path + ".upgrade" }

  /// - Parameters:
  ///   - path: That of the socket that kubelet dials, whose lock this process has.
  ///   - inherited: The descriptor that another process has left.
  /// - Throws: ``ListenError``.
  package init(beside path: String, inherited: CInt?, eventLoop: any EventLoop) throws(ListenError) {
    self.path = Self.path(for: path)
    self.eventLoop = eventLoop
    if let inherited {
      descriptor = inherited
    } else {
      // Nobody else serves it: it is under the same lock.
      unlink(self.path)
      descriptor = try ListeningSocket.bindAndListen(self.path)
    }
  }

  func serve(_ whenFrame: @escaping (HandoverFrame.OneOf_Content, Link) -> Void) async throws {
    self.whenFrame = whenFrame
    try await proceed()
  }

  /// Accepts connections, at first or again.
  func proceed() async throws {
    guard !isServing, let descriptor else { return }
    isServing = true
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    listener = try await ServerBootstrap(group: eventLoop)
      .serverChannelOption(.backlog, value: Int32(Self.connections))
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try confined.value.accepted(channel) }
      }
      .withBoundSocket(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)).get()
  }

  /// Leaves the socket to another process. Who is connected stays.
  func pause() async {
    isServing = false
    let closing = listener
    listener = nil
    try? await closing?.close()
  }

  /// Takes the socket away, unless another process serves it.
  func close() async {
    if isServing { unlink(path) }
    await pause()
    if let descriptor { Glibc.close(descriptor) }
    descriptor = nil
  }

  private struct TooMany: Error {}

  private func accepted(_ channel: any Channel) throws {
    guard links.count < Self.connections else { throw TooMany() }
    let link = try Link.accepted(channel)
    links[ObjectIdentifier(link)] = link
    link.whenFrame = { [weak self, unowned link] in self?.whenFrame($0, link) }
    link.whenEnded = { [weak self, unowned link] in self?.links[ObjectIdentifier(link)] = nil }
  }
}
