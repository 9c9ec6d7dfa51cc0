internal import GRPC
internal import HTTP2
internal import Meters
internal import NIOCore

/// One client's connection (kubelet opens two), its own connections to the runtime, and its calls.
///
/// It speaks and reads at once, whatever the runtime's state. Confined to the event loop.
final class KubeletConnection: HTTP2ConnectionDelegate {
  private let server: CallServer
  private var connection: HTTP2Connection?
  private var runtimeChannel: ClientChannel?
  private var imageChannel: ClientChannel?
  private var relayed: [ObjectIdentifier: RelayedCall] = [:]
  private var collected: [ObjectIdentifier: CollectedCall] = [:]
  /// The streams without end, when they are all that is left, are not waited for.
  private var endsEndlessStreams = false
  /// Called once, when the connection and all its calls are over.
  private let whenClosed: (KubeletConnection) -> Void

  init(server: CallServer, whenClosed: @escaping (KubeletConnection) -> Void) {
    self.server = server
    self.whenClosed = whenClosed
  }

  /// The handler for this connection's channel.
  func makeHandler() -> HTTP2Connection {
    let connection = HTTP2Connection(role: .server, group: server.group, delegate: self)
    self.connection = connection
    return connection
  }

  /// How many of its calls are not over.
  var callsInFlight: Int { relayed.count + collected.count }

  /// Sends GOAWAY and lets the calls in flight finish.
  ///
  /// - Parameter endsEndlessStreams: End the streams without end when they are all that is left.
  func drain(endsEndlessStreams: Bool) {
    self.endsEndlessStreams = endsEndlessStreams
    connection?.shutDown()
    endEndlessStreamsIfAlone()
  }

  /// Ends every call that is left, and the connection.
  func cut() {
    let status = Status(.unavailable, "runtime-manager is shutting down")
    for call in relayed.values { call.fail(status) }
    for call in collected.values { call.cut(status) }
  }

  private func endEndlessStreamsIfAlone() {
    guard endsEndlessStreams, collected.isEmpty, relayed.values.allSatisfy(\.isEndless) else { return }
    for call in relayed.values { call.fail(Status(.unavailable, "runtime-manager is shutting down")) }
  }

  func ended(_ call: RelayedCall) {
    relayed[ObjectIdentifier(call)] = nil
    endEndlessStreamsIfAlone()
    closeIfOver()
  }

  func ended(_ call: CollectedCall) {
    collected[ObjectIdentifier(call)] = nil
    endEndlessStreamsIfAlone()
    closeIfOver()
  }

  /// The runtime's side stays open as long as a hooked call needs it, even when its caller has left.
  private func closeIfOver() {
    guard connection == nil, relayed.isEmpty, collected.isEmpty else { return }
    runtimeChannel?.close()
    imageChannel?.close()
    whenClosed(self)
  }

  private func channel(to route: Route) -> ClientChannel {
    if let channel = route.isImageService ? imageChannel : runtimeChannel { return channel }
    let channel = ClientChannel(path: server.endpoint(of: route).path, group: server.group)
    if route.isImageService { imageChannel = channel } else { runtimeChannel = channel }
    return channel
  }

  // MARK: HTTP2ConnectionDelegate

  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool
  ) {
    let route = Route(of: headers)
    server.meters.callBegins()
    let channel = channel(to: route)
    if let verb = route.verb, let version = route.version, server.wantsHooks(verb) {
      let call = CollectedCall(
        stream, headers, verb: verb, version: version, method: route.method, server: server, connection: self,
        channel: channel)
      stream.handler = call
      collected[ObjectIdentifier(call)] = call
      call.start()
      if endStream { call.stream(stream, receivedEnd: nil) }
    } else {
      let call = RelayedCall(stream, headers, route: route, connection: self, server: server)
      stream.handler = call
      relayed[ObjectIdentifier(call)] = call
      call.start(on: channel)
      endEndlessStreamsIfAlone()
    }
  }

  func connectionIsGoingAway(_ connection: HTTP2Connection) {}

  func connectionClosed(_ connection: HTTP2Connection) {
    self.connection = nil
    closeIfOver()
  }
}
