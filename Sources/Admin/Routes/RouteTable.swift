internal import NIOHTTP1

/// All that can be asked on one socket.
package struct RouteTable: Sendable {
  package let routes: [AdminRoute]

  package init(_ routes: [AdminRoute]) { self.routes = routes }

  /// The same for a socket on which only this may be asked.
  package func only(_ pattern: String) -> RouteTable { RouteTable(routes.filter { $0.pattern == pattern }) }

  /// A route for GET answers HEAD as well (RFC 9110, section 9.3.2).
  package func answer(_ request: AdminRequest) throws(AdminError) -> AdminReply {
    let matching = routes.compactMap { route in
      route.parameters(in: request.path).map { (route: route, parameters: $0) }
    }
    guard !matching.isEmpty else { throw .noRoute(String(request.path)) }
    let method = request.head.method == .HEAD ? .GET : request.head.method
    guard let (route, parameters) = matching.first(where: { $0.route.method == method }) else {
      let allowed = matching.flatMap { $0.route.method == .GET ? ["GET", "HEAD"] : [$0.route.method.rawValue] }
      throw .wrongMethod(request.head.method.rawValue, allowed: allowed)
    }
    var request = request
    request.parameters = parameters
    return try route.answer(request)
  }
}
