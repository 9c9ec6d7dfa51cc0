package import NIOHTTP1

/// A complete request of an admin client.
package struct AdminRequest: Sendable {
  package let head: HTTPRequestHead
  package var content: [UInt8] = []
  /// What the path says in place of the route's `{name}`s, decoded.
  package var parameters: [String: String] = [:]

  package init(_ head: HTTPRequestHead) { self.head = head }

  /// The target's path: without a query, and without the scheme and authority that a proxy would be sent (RFC 9112,
  /// section 3.2).
  var path: Substring {
    var target = head.uri[...]
    if target.lowercased().hasPrefix("http://") {
      let rest = target.dropFirst("http://".count)
      target = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
    }
    return target.prefix { $0 != "?" }
  }

  /// The connection may be used again after the answer (RFC 9112, section 9.3). That of an older version is not, and
  /// not one that asks for another protocol.
  var keepsAlive: Bool { head.isKeepAlive && head.version.minor >= 1 && !head.headers.contains(name: "upgrade") }
}
