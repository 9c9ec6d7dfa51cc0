package import CRIMessages
package import RuntimeDispatcher

extension CRIRunPodSandboxRequest {
  /// Writes plugins' changes into the request: labels, annotations, cgroup parent, the pod's resources.
  ///
  /// Messages that are absent are created only when a change needs them. What else the request holds stays, unknown
  /// fields included. Changes that this call cannot carry are RuntimeDispatcher's to refuse; they are passed over.
  package mutating func apply(_ changes: [Change]) {
    let ours = changes.filter { change in
      switch change.field {
      case .label, .annotation, .cgroupParent: change.value.text != nil
      case .resource, .hugepageLimit, .unified: true
      case .env: false
      }
    }
    guard !ours.isEmpty else { return }
    // Taken out while they are changed: in place, each change would read and write all of them.
    var labels = config.labels
    var annotations = config.annotations
    for change in ours {
      switch change.field {
      case .label(let key): labels[key] = change.value.text
      case .annotation(let key): annotations[key] = change.value.text
      case .cgroupParent: config.linux.cgroupParent = change.value.text ?? ""
      case .resource, .hugepageLimit, .unified: config.linux.resources.apply(change)
      case .env: break
      }
    }
    if labels != config.labels { config.labels = labels }
    if annotations != config.annotations { config.annotations = annotations }
  }
}
