package import HookMessages
package import Store

/// A container that a call is about, with its pod.
package struct ContainerSubject: Sendable {
  package var container: ContainerRecord
  package var pod: PodRecord

  package init(container: ContainerRecord, pod: PodRecord) {
    self.container = container
    self.pod = pod
  }

  /// What a plugin is told: the container's fields and its pod's.
  package var hookRequest: ContainerResourceHookRequest { container.request.filled(from: pod.request) }
}
