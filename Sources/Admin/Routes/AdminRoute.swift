package import NIOHTTP1

/// One row of the table of routes: what may be asked, and what answers.
package struct AdminRoute: Sendable {
  package let method: HTTPMethod
  /// An absolute path; `{name}` stands for one segment, whatever it is.
  package let pattern: String
  /// Called on the admin side's own thread.
  let answer: @Sendable (AdminRequest) throws(AdminError) -> AdminReply

  package init(
    _ method: HTTPMethod, _ pattern: String,
    answer: @escaping @Sendable (AdminRequest) throws(AdminError) -> AdminReply
  ) {
    self.method = method
    self.pattern = pattern
    self.answer = answer
  }

  /// What `path` has in place of the pattern's `{name}`s; nil if it is not of this pattern.
  func parameters(in path: Substring) -> [String: String]? {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    let wanted = pattern.split(separator: "/", omittingEmptySubsequences: false)
    guard segments.count == wanted.count else { return nil }
    var parameters: [String: String] = [:]
    for (segment, wanted) in zip(segments, wanted) {
      if wanted.hasPrefix("{"), wanted.hasSuffix("}") {
        guard let text = PathSegment.decoded(segment), !text.isEmpty else { return nil }
        parameters[String(wanted.dropFirst().dropLast())] = text
      } else if segment != wanted {
        return nil
      }
    }
    return parameters
  }
}
