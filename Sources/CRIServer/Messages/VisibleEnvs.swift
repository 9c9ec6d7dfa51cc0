package import CRIMessages
internal import FoundationEssentials

/// A container's environment as a plugin sees it: of each key the last entry, which is the one that the runtime uses.
///
/// The hook protocol has strings where CRI has bytes. A key whose last entry is not UTF-8 cannot be shown, and a
/// plugin that sets it would replace a value that it has not seen; so it is hidden, and may not be set.
package struct VisibleEnvs: Sendable, Hashable {
  package var values: [String: String] = [:]
  package var hiddenKeys: Set<String> = []

  package init(_ envs: [CRIKeyValue]) {
    for env in envs {
      if let value = String(validating: env.value, as: UTF8.self) {
        values[env.key] = value
        hiddenKeys.remove(env.key)
      } else {
        values[env.key] = nil
        hiddenKeys.insert(env.key)
      }
    }
  }
}
