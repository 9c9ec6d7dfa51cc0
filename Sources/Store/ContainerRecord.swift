package import HookMessages

/// What the Store remembers of a container: its part of the hook request that a plugin would be sent about it now.
package struct ContainerRecord: Sendable, Hashable {
  package var podSandboxID: String

  /// The container's own fields: `container_meta` with the id, annotations, resources as accumulated over all
  /// updates, envs. Of the pod's fields only `pod_cgroup_parent`, and only if this container has one of its own;
  /// the others are filled from the pod's record when a plugin is asked.
  package var request: ContainerResourceHookRequest

  /// A call about this container ended in an unknown way, so that the record must be read anew before its next use.
  /// The Store keeps track of it: the value of a record that is inserted is not read.
  package var isStale: Bool

  package init(podSandboxID: String, _ request: ContainerResourceHookRequest, isStale: Bool = false) {
    self.podSandboxID = podSandboxID
    self.request = request
    self.isStale = isStale
  }

  /// The runtime's id of the container, the key of its record.
  package var id: String { request.containerMeta.id }
}
