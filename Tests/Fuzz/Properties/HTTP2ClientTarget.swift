import HTTP2

/// What a server (the runtime, a plugin) may send to us: as ``HTTP2ServerTarget``, with us opening the streams.
package enum HTTP2ClientTarget: FuzzTarget {
  package static let name = "http2-client"

  package static func check(_ bytes: [UInt8]) throws { try ScriptedConnection(.client, bytes).run() }
}
