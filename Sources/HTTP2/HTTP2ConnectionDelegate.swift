/// What happens on a connection, for the one who owns it. Called on the connection's event loop.
package protocol HTTP2ConnectionDelegate: AnyObject {
  /// A client opened `stream` (server role only). Set ``HTTP2Stream/handler`` here to see what follows;
  /// if `endStream` is set, the request has no body and no end will be reported.
  func connection(
    _ connection: HTTP2Connection, opened stream: HTTP2Stream, headers: HeaderBlock, endStream: Bool)

  /// The peer sent GOAWAY: no new stream may be opened, those below its last id go on.
  func connectionIsGoingAway(_ connection: HTTP2Connection)

  /// The connection is gone; all its streams have been closed before.
  func connectionClosed(_ connection: HTTP2Connection)
}
