import HTTP2

/// What a client may send to us, and when: any bytes, in any cut, while we answer.
///
/// No input traps; events come in order and once; when the connection is gone no stream, no buffered byte and no object
/// is left; at no time is more buffered than the limit or more streams open than SETTINGS allow.
package enum HTTP2ServerTarget: FuzzTarget {
  package static let name = "http2-server"

  package static func check(_ bytes: [UInt8]) throws { try ScriptedConnection(.server, bytes).run() }
}
