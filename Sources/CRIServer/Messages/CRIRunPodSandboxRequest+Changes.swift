package import CRIMessages
package import RuntimeDispatcher

extension CRIRunPodSandboxRequest {
  /// Writes plugins' changes into the request: labels, annotations, cgroup parent, the pod's resources.
  ///
  /// Messages that are absent are created only when a change needs them. What else the request holds stays, unknown
  /// fields included. Changes that this call cannot carry are RuntimeDispatcher's to refuse; they are passed over.
  package mutating func apply(_ changes: [Change]) {
    for change in changes {
      switch change.field {
      case .label(let key): if let text = change.value.text { config.labels[key] = text }
      case .annotation(let key): if let text = change.value.text { config.annotations[key] = text }
      case .cgroupParent: if let text = change.value.text { config.linux.cgroupParent = text }
      case .resource, .hugepageLimit, .unified: config.linux.resources.apply(change)
      case .env: break
      }
    }
  }
}
