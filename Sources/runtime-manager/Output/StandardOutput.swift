internal import Glibc

/// Writing to stdout at once, also into a pipe.
enum StandardOutput {
  /// - Returns: Somebody takes it.
  @discardableResult
  static func write(_ text: String) -> Bool {
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
      let count = Glibc.write(STDOUT_FILENO, Array(left), left.count)
      guard count > 0 || errno == EINTR else { return false }
      left = left.dropFirst(max(count, 0))
    }
    return true
  }
}
