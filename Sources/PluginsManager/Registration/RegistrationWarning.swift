/// What is odd about a registration file that is used nevertheless.
package enum RegistrationWarning: Sendable, Hashable {
  /// Keys that mean nothing to us, in byte order.
  case unknownKeys([Placed])
  /// Keys that were there before, in the order of the file; their first values count.
  case repeatedKeys([Placed])
  /// Refused names in `runtime-hooks`, in byte order; the others are used.
  case unknownHooks([Placed])
  /// A name that existing plugins write although the protocol has no method for it.
  case hookNeverCalled(Placed)
  /// No hook point is left that this plugin could be asked at.
  case neverAsked
}

extension RegistrationWarning: CustomStringConvertible {
  /// All of it, for one line of a log.
  package var description: String {
    switch self {
    case .unknownKeys(let keys):
      "unknown keys: \(keys.listed(among: RegistrationFile.keys))"
    case .repeatedKeys(let keys):
      "keys that are there before, whose first value counts: \(keys.listed(among: []))"
    case .unknownHooks(let names):
      "runtime-hooks: unknown: \(names.listed(among: HookPoint.names)); known are \(HookPoint.names.joined(separator: ", "))"
    case .hookNeverCalled(let name):
      "runtime-hooks: \(name.text) is accepted and never called, the protocol has no such method"
    case .neverAsked:
      "runtime-hooks: names no hook point, the plugin is never asked"
    }
  }
}

extension [Placed] {
  /// The first few, quoted, each with its line and what may be meant.
  fileprivate func listed(among words: [String]) -> String {
    let limit = 8
    let shown = prefix(limit).map { placed in
      let meant = Spelling.nearest(to: placed.text, of: words).map { "; did you mean \($0)?" } ?? ""
      return "\(placed.text.quoted) (line \(placed.line)\(meant))"
    }
    return shown.joined(separator: ", ") + (count > limit ? " and \(count - limit) more" : "")
  }
}

extension HookPoint {
  static var names: [String] { allCases.map(\.rawValue) }
}
