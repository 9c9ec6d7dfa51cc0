package import CRIMessages
package import HookMessages

extension PodSandboxHookRequest {
  /// What a plugin is told about the pod of a container.
  /// - Parameter runtimeHandler: what the pod is run with; empty is the runtime's default.
  package init(_ config: CRIPodSandboxConfig, runtimeHandler: String) {
    self.init()
    if config.hasMetadata { podMeta = PodSandboxMetadata(config.metadata) }
    self.runtimeHandler = runtimeHandler
    labels = config.labels
    annotations = config.annotations
    guard config.hasLinux else { return }
    cgroupParent = config.linux.cgroupParent
    if config.linux.hasOverhead { overhead = LinuxContainerResources(config.linux.overhead) }
    if config.linux.hasResources { resources = LinuxContainerResources(config.linux.resources) }
  }
}

extension PodSandboxMetadata {
  package init(_ metadata: CRIPodSandboxMetadata) {
    self.init()
    name = metadata.name
    uid = metadata.uid
    namespace = metadata.namespace
    attempt = metadata.attempt
  }
}
