package import CRIMessages
package import HookMessages
package import Store
internal import SwiftProtobuf

extension ContainerResourceHookRequest {
  /// What a plugin is told about a container that kubelet wants to create. Keys that are hidden from plugins are told
  /// by ``VisibleEnvs``.
  ///
  /// The pod's fields come from the request's own `sandbox_config`, to which the pod's recorded changes have been
  /// applied: its labels and annotations are newer than those the pod was run with. The pod's resources come from its
  /// record if there is one, as only that knows what a plugin made of them.
  /// - Parameter pod: the record of the container's pod, if it is known.
  package init(_ request: CRICreateContainerRequest, pod: PodRecord?) {
    self.init()
    if request.config.hasMetadata {
      containerMeta = .with {
        $0.name = request.config.metadata.name
        $0.attempt = request.config.metadata.attempt
      }
    }
    containerAnnotations = request.config.annotations
    containerEnvs = VisibleEnvs(request.config.envs).values
    if request.config.hasLinux, request.config.linux.hasResources {
      containerResources = LinuxContainerResources(request.config.linux.resources)
    }
    var sandbox = pod?.request ?? PodSandboxHookRequest()
    if request.hasSandboxConfig {
      sandbox = PodSandboxHookRequest(request.sandboxConfig, runtimeHandler: "")
      if let pod, pod.request.hasResources { sandbox.resources = pod.request.resources }
    }
    self = filled(from: sandbox)
  }

  /// Lays what kubelet asks of a container over what is remembered of it: what a plugin is told about an update.
  package mutating func overlay(_ request: CRIUpdateContainerResourcesRequest) {
    if request.hasLinux { containerResources.overlay(LinuxContainerResources(request.linux)) }
    containerAnnotations.merge(request.annotations) { _, new in new }
  }
}

extension ContainerRecord {
  /// The record of a container that the runtime has just created.
  /// - Parameters:
  ///   - request: as it was sent to the runtime.
  ///   - id: as the runtime answered it.
  ///   - pod: the record of the container's pod, if it is known.
  package init(created request: CRICreateContainerRequest, id: String, pod: PodRecord?) {
    var container = ContainerResourceHookRequest(request, pod: pod).withoutPod(pod?.request)
    container.containerMeta.id = id
    self.init(podSandboxID: request.podSandboxID, container)
  }
}
