package import HTTP2
internal import NIOCore
internal import NIOPosix

/// The way to one unix socket: a connection that is dialled when it is needed, kept while it lives and
/// replaced when it breaks or is going away.
// Unchecked, because it is confined to the group's event loop: every entry asserts it, and its connections, which call it
// back, live there.
package final class ClientChannel: HTTP2ConnectionDelegate, @unchecked Sendable {
  package let path: String
  package let group: ConnectionGroup
  /// Who may own the socket (the peer's credentials); nil for anybody.
  private let permittedOwners: Set<UInt32>?
  private let confirmsWrites: Bool
  private var active: HTTP2Connection?
  /// Connections with streams, the active one and those that are going away.
  private var connections: [ObjectIdentifier: HTTP2Connection] = [:]
  private var waiting: [Waiter]?
  private var isClosed = false
  private var disconnectWaiters: [CheckedContinuation<Void, Never>] = []

  package typealias Waiter = (Result<HTTP2Connection, CallFailure>) -> Void

  package init(
    path: String, group: ConnectionGroup, permittedOwners: Set<UInt32>? = nil, confirmsWrites: Bool = false
  ) {
    self.path = path
    self.group = group
    self.permittedOwners = permittedOwners
    self.confirmsWrites = confirmsWrites
  }

  /// Hands `body` a connection that takes new streams, at once if there is one.
  package func withConnection(_ body: @escaping Waiter) {
    group.eventLoop.assertInEventLoop()
    if let active, active.canOpenStreams { return body(.success(active)) }
    guard !isClosed else { return body(.failure(.unreachable(path: path, reason: "the channel is closed"))) }
    if waiting != nil {
      waiting?.append(body)
    } else {
      waiting = [body]
      dial()
    }
  }

  /// Closes every connection at once; calls in flight are lost.
  package func close() {
    group.eventLoop.assertInEventLoop()
    isClosed = true
    active = nil
    for connection in connections.values { connection.close() }
  }

  /// Takes no new calls and closes when those in flight are over.
  package func closeWhenIdle() {
    group.eventLoop.assertInEventLoop()
    isClosed = true
    active = nil
    for connection in connections.values { connection.closeWhenIdle() }
  }

  /// Returns when there is no connection that takes new streams, or when the task is cancelled. Must run on
  /// the event loop's executor.
  package func untilDisconnected() async {
    group.eventLoop.assertInEventLoop()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard active != nil, !Task.isCancelled else { return continuation.resume() }
        disconnectWaiters.append(continuation)
      }
    } onCancel: {
      group.eventLoop.execute { self.wakeDisconnectWaiters() }
    }
  }

  private func wakeDisconnectWaiters() {
    let waiters = disconnectWaiters
    disconnectWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  private func deactivate(_ connection: HTTP2Connection) {
    guard connection === active else { return }
    active = nil
    wakeDisconnectWaiters()
  }

  private func dial() {
    let confined = NIOLoopBound(self, eventLoop: group.eventLoop)
    ClientBootstrap(group: group.eventLoop)
      .wireOptions()
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let client = confined.value
          let connection = HTTP2Connection(
            role: .client, group: client.group, delegate: client, confirmsWrites: client.confirmsWrites)
          try channel.pipeline.syncOperations.addHandler(connection)
        }
      }
      .connect(unixDomainSocketPath: path)
      .whenComplete { confined.value.dialled($0) }
  }

  private func dialled(_ result: Result<any Channel, any Error>) {
    switch result {
    case .success(let channel):
      guard let permittedOwners else { return connected(channel) }
      let confined = NIOLoopBound(self, eventLoop: group.eventLoop)
      channel.peerUserID().whenComplete { owner in
        switch owner {
        case .success(let uid) where permittedOwners.contains(uid): confined.value.connected(channel)
        case .success(let uid): confined.value.refuse(channel, .wrongOwner(uid: uid))
        case .failure(let error): confined.value.refuse(channel, confined.value.unreachable(error))
        }
      }
    case .failure(let error):
      answerWaiting(.failure(unreachable(error)))
    }
  }

  private func connected(_ channel: any Channel) {
    guard let connection = try? channel.pipeline.syncOperations.handler(type: HTTP2Connection.self),
      connection.channel != nil, !isClosed
    else {
      return refuse(channel, .unreachable(path: path, reason: "the connection was closed at once"))
    }
    active = connection
    connections[ObjectIdentifier(connection)] = connection
    answerWaiting(.success(connection))
  }

  private func refuse(_ channel: any Channel, _ failure: CallFailure) {
    channel.close(promise: nil)
    answerWaiting(.failure(failure))
  }

  private func answerWaiting(_ result: Result<HTTP2Connection, CallFailure>) {
    let bodies = waiting ?? []
    waiting = nil
    for body in bodies { body(result) }
  }

  private func unreachable(_ error: any Error) -> CallFailure {
    let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? String(describing: error)
    return .unreachable(path: path, reason: reason)
  }

  // MARK: HTTP2ConnectionDelegate

  package func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    // A client's peer opens no streams: push is switched off in our SETTINGS.
  }

  package func connectionIsGoingAway(_ connection: HTTP2Connection) {
    deactivate(connection)
  }

  package func connectionClosed(_ connection: HTTP2Connection) {
    connections[ObjectIdentifier(connection)] = nil
    deactivate(connection)
  }
}
