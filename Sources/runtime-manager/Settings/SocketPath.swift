internal import ArgumentParser

/// A unix socket on the command line: an absolute path, bare or as `unix://`.
struct SocketPath: CustomStringConvertible {
  /// What the kernel's `sun_path` holds (unix(7)).
  private static let limitBytes = 107

  let path: String

  var description: String { path }

  init(_ path: String) { self.path = path }

  /// - Throws: `ValidationError` that says what a socket must be.
  static func parse(_ argument: String) throws -> SocketPath {
    let path = argument.hasPrefix("unix://") ? String(argument.dropFirst("unix://".count)) : argument
    guard path.hasPrefix("/") else { throw ValidationError("must be an absolute path, or unix:// and one") }
    guard path.utf8.count <= limitBytes else {
      throw ValidationError("has \(path.utf8.count) bytes, at most \(limitBytes) can be a socket")
    }
    return SocketPath(path)
  }
}
