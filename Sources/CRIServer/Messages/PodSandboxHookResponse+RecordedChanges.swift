package import CRIMessages
package import HookMessages
package import RuntimeDispatcher

// kubelet builds the `sandbox_config` of each CreateContainer anew, without what plugins changed when the pod was run.
// These changes are recorded as the answer that would have made them.

extension PodSandboxHookResponse {
  /// What of the changes at RunPodSandbox has to be applied again at each CreateContainer.
  package init(recording changes: [Change]) {
    self.init()
    for change in changes {
      guard let text = change.value.text else { continue }
      switch change.field {
      case .label(let key): labels[key] = text
      case .annotation(let key): annotations[key] = text
      case .cgroupParent: cgroupParent = text
      case .resource, .hugepageLimit, .unified, .env: break
      }
    }
  }

  /// The recorded changes of a pod that was read from the runtime, as far as they can be told: the keys that the
  /// runtime has and kubelet's request lacks (but none that a plugin may not add), and the cgroup parent if it is
  /// another.
  ///
  /// A plugin's value under a key that kubelet also sends is not seen, and a key that has since been deleted from the
  /// pod looks like a plugin's.
  /// - Parameters:
  ///   - pod: the pod as the runtime has it.
  ///   - config: the pod as kubelet has it.
  ///   - rules: what a plugin may not add.
  package init(reconstructedFrom pod: PodSandboxHookRequest, kubelet config: CRIPodSandboxConfig, rules: HookRules) {
    self.init()
    labels = pod.labels.filter { config.labels[$0.key] == nil && rules.mayBeAPlugins(key: $0.key) }
    annotations = pod.annotations.filter { config.annotations[$0.key] == nil && rules.mayBeAPlugins(key: $0.key) }
    if pod.cgroupParent != config.linux.cgroupParent { cgroupParent = pod.cgroupParent }
  }

  /// Whether there is nothing to apply again.
  package var isEmpty: Bool { self == PodSandboxHookResponse() }
}

extension CRIPodSandboxConfig {
  /// Applies a pod's recorded changes again. `linux` is created only when the cgroup parent needs it.
  package mutating func apply(_ changes: PodSandboxHookResponse) {
    labels.merge(changes.labels) { _, recorded in recorded }
    annotations.merge(changes.annotations) { _, recorded in recorded }
    if !changes.cgroupParent.isEmpty { linux.cgroupParent = changes.cgroupParent }
  }
}
