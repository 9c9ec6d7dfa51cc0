package import HookMessages

extension ContainerResourceHookRequest {
  /// This container's request with the fields that come from its pod. A cgroup parent that is there already is the
  /// container's own and stays.
  package func filled(from pod: PodSandboxHookRequest) -> ContainerResourceHookRequest {
    var request = self
    if pod.hasPodMeta { request.podMeta = pod.podMeta }
    if pod.hasResources { request.podResources = pod.resources }
    request.podAnnotations = pod.annotations
    request.podLabels = pod.labels
    if request.podCgroupParent.isEmpty { request.podCgroupParent = pod.cgroupParent }
    return request
  }

  /// The container's own part of this request, as the Store keeps it.
  /// - Parameter pod: what is remembered of the pod; a cgroup parent that differs from its is the container's own.
  package func withoutPod(_ pod: PodSandboxHookRequest?) -> ContainerResourceHookRequest {
    var request = self
    request.clearPodMeta()
    request.clearPodResources()
    request.podAnnotations = [:]
    request.podLabels = [:]
    if request.podCgroupParent == pod?.cgroupParent { request.podCgroupParent = "" }
    return request
  }
}
