package import HookMessages

/// What the Store remembers of a pod sandbox: the hook request that a plugin would be sent about it now.
package struct PodRecord: Sendable, Hashable {
  package var request: PodSandboxHookRequest

  /// What plugins made of the pod when it was run: labels and annotations by key, the cgroup parent.
  /// kubelet leaves them out of each CreateContainer, where they are applied again. nil if the record was read
  /// from the runtime, which does not tell kubelet's part from a plugin's.
  package var changes: PodSandboxHookResponse?

  /// A call about this pod ended in an unknown way, so that the record must be read anew before its next use.
  /// The Store keeps track of it: the value of a record that is inserted is not read.
  package var isStale: Bool

  package init(_ request: PodSandboxHookRequest, changes: PodSandboxHookResponse?, isStale: Bool = false) {
    self.request = request
    self.changes = changes
    self.isStale = isStale
  }
}
