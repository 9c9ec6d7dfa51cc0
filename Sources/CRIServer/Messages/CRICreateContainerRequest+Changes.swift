package import CRIMessages
internal import FoundationEssentials
package import RuntimeDispatcher
internal import SwiftProtobuf

extension CRICreateContainerRequest {
  /// Writes plugins' changes into the request: annotations, resources, envs, the cgroup parent (of this container
  /// only, which CRI takes from `sandbox_config`).
  ///
  /// Messages that are absent are created only when a change needs them. What else the request holds stays, unknown
  /// fields included. Changes that this call cannot carry are RuntimeDispatcher's to refuse; they are passed over.
  package mutating func apply(_ changes: [Change]) {
    var newEnvs: [CRIKeyValue] = []
    // Taken out while they are changed: in place, each change would read and write all of them.
    var annotations = config.annotations
    var envs = config.envs
    // Once for all changes, of which a plugin may want as many as there are entries.
    let changesEnvs = changes.contains { $0.field.isEnv && $0.value.text != nil }
    let lastEntries = changesEnvs ? Self.lastEntryOfEachKey(envs) : [:]
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .cgroupParent: if let text = change.value.text { sandboxConfig.linux.cgroupParent = text }
      case .env(let key):
        guard let text = change.value.text else { continue }
        if let index = lastEntries[key] {
          envs[index].value = Data(text.utf8)
        } else {
          newEnvs.append(
            .with {
              $0.key = key
              $0.value = Data(text.utf8)
            })
        }
      case .resource, .hugepageLimit, .unified, .label: break
      }
    }
    newEnvs.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    envs += newEnvs
    if annotations != config.annotations { config.annotations = annotations }
    if changesEnvs { config.envs = envs }
    let ofResources = changes.filter(\.field.isResource)
    if !ofResources.isEmpty { config.linux.resources.apply(ofResources) }
  }

  /// Where the entries are that the runtime uses: a change replaces that one, and all others stay.
  private static func lastEntryOfEachKey(_ envs: [CRIKeyValue]) -> [String: Int] {
    Dictionary(envs.enumerated().map { ($1.key, $0) }) { $1 }
  }
}

extension Field {
  fileprivate var isEnv: Bool { if case .env = self { true } else { false } }
}
