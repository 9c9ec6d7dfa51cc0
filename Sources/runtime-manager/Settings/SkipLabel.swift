internal import ArgumentParser

/// The label `key=value` of pods that are never hooked.
struct SkipLabel: CustomStringConvertible {
  let key: String
  let value: String

  var description: String { "\(key)=\(value)" }

  /// - Throws: `ValidationError` that says what a label must be.
  static func parse(_ argument: String) throws -> SkipLabel {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("must be key=value") }
    return SkipLabel(key: String(parts[0]), value: String(parts[1]))
  }
}
