package import HookMessages

/// How a process finds out about the objects of owed calls that it has taken over.
package struct OwedLookUp: Sendable {
  let pod: @Sendable (String) async -> Subject<EncodedPod>
  let container: @Sendable (String) async -> Subject<ContainerResourceHookRequest>

  package init(
    pod: @escaping @Sendable (String) async -> Subject<EncodedPod>,
    container: @escaping @Sendable (String) async -> Subject<ContainerResourceHookRequest>
  ) {
    self.pod = pod
    self.container = container
  }
}
