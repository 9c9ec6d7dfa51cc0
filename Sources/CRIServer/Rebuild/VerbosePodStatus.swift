package import CRIMessages
internal import FoundationEssentials
internal import HookMessages
package import Store

/// A pod sandbox as a verbose PodSandboxStatus tells it: its original config, if the runtime gives it away (containerd
/// does, as JSON under the key `info`), else what the plain status has.
package struct VerbosePodStatus {
  /// The JSON, as far as it is read.
  struct Info: Decodable {
    struct Metadata: Decodable {
      var name: String?
      var uid: String?
      var namespace: String?
      var attempt: JSONInteger?
    }

    struct Linux: Decodable {
      var cgroupParent: String?
      var overhead: VerboseResources?
      var resources: VerboseResources?

      enum CodingKeys: String, CodingKey {
        case cgroupParent = "cgroup_parent"
        case overhead
        case resources
      }
    }

    struct Config: Decodable {
      var metadata: Metadata?
      var labels: [String: String]?
      var annotations: [String: String]?
      var linux: Linux?
    }

    var config: Config
    var runtimeHandler: String?
  }

  private let status: CRIPodSandboxStatus
  private let info: Info?

  package init(_ response: CRIPodSandboxStatusResponse) {
    status = response.status
    info = VerboseInfo.decoded(response.info)
  }

  /// The record of the pod. Without the original config it has what the stale record had, or else no more than the
  /// plain status; what is missing is unknown, never guessed. The resources of a stale record stay in any case: the
  /// runtime's config does not follow UpdatePodSandboxResources.
  package func record(remembered: PodRecord?) -> PodRecord {
    var request = info.map { PodSandboxHookRequest($0) } ?? remembered?.request ?? PodSandboxHookRequest(status)
    if let remembered {
      if remembered.request.hasResources { request.resources = remembered.request.resources }
      if remembered.request.hasOverhead { request.overhead = remembered.request.overhead }
    }
    return PodRecord(request, changes: remembered?.changes)
  }
}

extension PodSandboxHookRequest {
  init(_ status: CRIPodSandboxStatus) {
    self.init()
    if status.hasMetadata { podMeta = PodSandboxMetadata(status.metadata) }
    runtimeHandler = status.runtimeHandler
    labels = status.labels
    annotations = status.annotations
  }

  init(_ info: VerbosePodStatus.Info) {
    self.init()
    if let metadata = info.config.metadata {
      podMeta.name = metadata.name ?? ""
      podMeta.uid = metadata.uid ?? ""
      podMeta.namespace = metadata.namespace ?? ""
      podMeta.attempt = UInt32(clamping: metadata.attempt?.value ?? 0)
    }
    runtimeHandler = info.runtimeHandler ?? ""
    labels = info.config.labels ?? [:]
    annotations = info.config.annotations ?? [:]
    cgroupParent = info.config.linux?.cgroupParent ?? ""
    if let overhead = info.config.linux?.overhead { self.overhead = LinuxContainerResources(overhead) }
    if let resources = info.config.linux?.resources { self.resources = LinuxContainerResources(resources) }
  }
}
