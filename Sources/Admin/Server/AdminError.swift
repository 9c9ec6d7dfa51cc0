internal import NIOHTTP1

/// Why an admin request is not answered with what it asks for.
package enum AdminError: Error, Hashable, Sendable {
  case notPermitted(uid: UInt32)
  case malformed(String)
  case headTooLarge
  case contentTooLarge
  case noRoute(String)
  case wrongMethod(String, allowed: [String])
  /// Nothing is called so.
  case unknown(String)
  /// Several are; these.
  case ambiguous(String, matches: [String])
  case notReady(String)
}

extension AdminError {
  /// One clear sentence.
  package var message: String {
    switch self {
    case .notPermitted(let uid):
      "this socket is for root and the user that runtime-manager runs as; your process runs as uid \(uid)"
    case .malformed(let what): what
    case .headTooLarge:
      "the request's line and headers have more than \(AdminLimits.headBytes) bytes or \(AdminLimits.headerFields) fields"
    case .contentTooLarge: "the request's content has more than \(AdminLimits.contentBytes) bytes"
    case .noRoute(let path): "there is nothing at \(path)"
    case .wrongMethod(let method, let allowed): "\(method) is not possible here, \(allowed.joined(separator: ", ")) is"
    case .unknown(let what): what
    case .ambiguous(let beginning, let matches): "\(matches.count) objects have an id that begins with \(beginning)"
    case .notReady(let reason): reason
    }
  }

  var response: AdminResponse {
    var document = ErrorDocument(error: message)
    if case .ambiguous(_, let matches) = self { document.matches = matches }
    var response = AdminResponse.document(document)
    response.status = status
    if case .wrongMethod(_, let allowed) = self {
      response.headers = [("allow", allowed.joined(separator: ", "))]
    }
    return response
  }

  private var status: HTTPResponseStatus {
    switch self {
    case .notPermitted: .forbidden
    case .malformed: .badRequest
    case .headTooLarge: .requestHeaderFieldsTooLarge
    case .contentTooLarge: .payloadTooLarge
    case .noRoute, .unknown: .notFound
    case .wrongMethod: .methodNotAllowed
    case .ambiguous: .conflict
    case .notReady: .serviceUnavailable
    }
  }
}
