package import CRIMessages
package import RuntimeDispatcher

extension CRIUpdateContainerResourcesRequest {
  /// Writes plugins' changes into kubelet's request: resources and annotations.
  ///
  /// To clear a cpuset here takes kubelet's own value out of the request, which leaves the runtime's as it is; so it
  /// creates no `linux` message. What else the request holds stays, unknown fields included. Changes that this call
  /// cannot carry are RuntimeDispatcher's to refuse; they are passed over.
  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would read and write all of them.
    var annotations = annotations
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .resource, .hugepageLimit, .unified, .label, .cgroupParent, .env: break
      }
    }
    if annotations != self.annotations { self.annotations = annotations }
    let ofResources = changes.filter { $0.field.isResource && (hasLinux || $0.value != .cleared) }
    if !ofResources.isEmpty { linux.apply(ofResources) }
  }

  /// RuntimeManager's own request for what plugins changed at StartContainer: the changed resource fields and nothing
  /// else. Annotations that are changed then go to the Store only, and a cpuset that the runtime already has cannot be
  /// cleared; nil if the changes have nothing for the runtime.
  package init?(_ changes: [Change], containerID: String) {
    let resourceChanges = changes.filter { $0.field.isResource && $0.value != .cleared }
    guard !resourceChanges.isEmpty else { return nil }
    self.init()
    self.containerID = containerID
    apply(resourceChanges)
  }
}
