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
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { config.annotations[key] = text }
      case .cgroupParent: if let text = change.value.text { sandboxConfig.linux.cgroupParent = text }
      case .resource, .hugepageLimit, .unified: config.linux.resources.apply(change)
      case .env(let key): if let text = change.value.text { setEnv(key, to: text, orAddTo: &newEnvs) }
      case .label: break
      }
    }
    newEnvs.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    if !newEnvs.isEmpty { config.envs += newEnvs }
  }

  /// Replaces the value of the last entry of `key`, the one that the runtime uses. All other entries stay, earlier
  /// ones of the same key included.
  private mutating func setEnv(_ key: String, to text: String, orAddTo newEnvs: inout [CRIKeyValue]) {
    if let index = config.envs.lastIndex(where: { $0.key == key }) {
      config.envs[index].value = Data(text.utf8)
    } else {
      newEnvs.append(
        .with {
          $0.key = key
          $0.value = Data(text.utf8)
        })
    }
  }
}
