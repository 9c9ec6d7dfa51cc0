internal import ArgumentParser

/// The admin socket on the command line: a socket as any other, or none.
struct AdminSocket: CustomStringConvertible {
  /// Nil for none.
  let path: String?

  var description: String { path ?? "none" }

  /// - Throws: `ValidationError` that says what a socket must be.
  static func parse(_ argument: String) throws -> AdminSocket {
    if argument.isEmpty || argument == "none" { return AdminSocket(path: nil) }
    return AdminSocket(path: try SocketPath.parse(argument).path)
  }
}
