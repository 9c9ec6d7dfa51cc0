/// What is odd about a registration file that is used nevertheless.
package enum RegistrationWarning: Sendable, Hashable {
  /// Keys that mean nothing to us, in byte order.
  case unknownKeys([String])
  /// Refused names in `runtime-hooks`; the others are used.
  case unknownHooks([String])
  /// A name that existing plugins write although the protocol has no method for it.
  case hookNeverCalled(String)
  /// No hook point is left that this plugin could be asked at.
  case neverAsked
}

extension RegistrationWarning: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownKeys(let keys):
      "unknown keys: \(keys.listed)"
    case .unknownHooks(let names):
      "runtime-hooks: unknown: \(names.listed); known are \(HookPoint.allCases.map(\.rawValue).joined(separator: ", "))"
    case .hookNeverCalled(let name):
      "runtime-hooks: \(name) is accepted and never called, the protocol has no such method"
    case .neverAsked:
      "runtime-hooks: names no hook point, the plugin is never asked"
    }
  }
}
