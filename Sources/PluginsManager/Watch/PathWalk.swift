internal import Glibc

/// A walk along a path, one name at a time, with links resolved by hand.
///
/// ```
/// var walk = PathWalk("/etc/hooks")   // directory "/", nextName "etc"
/// walk.advance()                      // directory "/etc", nextName "hooks"
/// walk.advance()                      // directory "/etc/hooks", nextName nil: there
/// ```
struct PathWalk {
  /// Where the walk stands: a path without links.
  private(set) var directory = "/"
  /// In reverse, without `.`.
  private var names: [Substring]
  private var links = 0

  /// As many as the kernel follows (path_resolution(7)).
  private static let linkLimit = 40

  /// - Parameter path: absolute.
  init(_ path: String) {
    names = Self.names(of: path)
  }

  /// The name that is looked up next in ``directory``; `nil` if that is the destination.
  var nextName: String? { names.last.map(String.init) }

  /// Looks ``nextName`` up and goes there; for a link, goes to where its target begins.
  ///
  /// - Returns: `false` if the walk ends here: at the destination, because the name is missing or cannot be looked
  ///   up, or because of too many links.
  mutating func advance() -> Bool {
    guard let name = names.popLast() else { return false }
    if name == ".." {
      directory = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? ""
      if directory.isEmpty { directory = "/" }
      return true
    }

    let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    switch Self.link(at: path) {
    case .success(let target):
      links += 1
      guard links <= Self.linkLimit else { return false }
      if target.hasPrefix("/") { directory = "/" }
      names += Self.names(of: target)
      return true
    case .failure(let error) where error.code == EINVAL:
      // No link.
      directory = path
      return true
    case .failure:
      return false
    }
  }

  private static func names(of path: String) -> [Substring] {
    path.split(separator: "/").filter { $0 != "." }.reversed()
  }

  private static func link(at path: String) -> Result<String, SystemError> {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &target, target.count)
    guard count >= 0 else { return .failure(.last) }
    return .success(String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
}
