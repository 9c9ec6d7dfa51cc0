package import CRIMessages
internal import FoundationEssentials
internal import HookMessages
package import Store

/// A container as a verbose ContainerStatus tells it: its original config, if the runtime gives it away (containerd
/// does, as JSON under the key `info`), and the values in force.
package struct VerboseContainerStatus {
  /// The JSON, as far as it is read. A part that cannot be read does not cost the others.
  struct Info: Decodable {
    struct Metadata: Decodable {
      var name: String?
      var attempt: JSONInteger?
    }

    struct Env: Decodable {
      var key: String?
      var value: String?
    }

    struct Linux: Decodable {
      var resources: VerboseResources?
    }

    struct Config: Decodable {
      var metadata: Metadata?
      var envs: [Env]?
      var annotations: [String: String]?
      var linux: Linux?
    }

    var sandboxID: String?
    var config: Config?
    var runtimeSpec: RuntimeSpec?

    enum CodingKeys: String, CodingKey {
      case sandboxID, config, runtimeSpec
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      sandboxID = try? container.decode(String.self, forKey: .sandboxID)
      config = try? container.decode(Config.self, forKey: .config)
      runtimeSpec = try? container.decode(RuntimeSpec.self, forKey: .runtimeSpec)
    }
  }

  private let status: CRIContainerStatus
  private let info: Info?

  package init(_ response: CRIContainerStatusResponse) {
    status = response.status
    info = VerboseInfo.decoded(response.info)
  }

  /// The pod sandbox that the container belongs to; nil if the runtime does not tell.
  package var podSandboxID: String? { info?.sandboxID }

  /// The record of the container. Without the original config it has what the stale record had, or else no more than
  /// the plain status; what is missing is unknown, never guessed.
  /// - Parameters:
  ///   - id: the container's id.
  ///   - pod: the pod's record if it is known; a cgroup parent that differs from its is the container's own.
  ///   - remembered: the stale record, if there is one.
  package func record(
    id: String, podSandboxID: String, pod: PodRecord?, remembered: ContainerRecord?
  ) -> ContainerRecord {
    var request =
      info?.config.map { ContainerResourceHookRequest($0, processEnv: info?.runtimeSpec?.process?.env) }
      ?? remembered?.request ?? ContainerResourceHookRequest(status)
    request.containerMeta.id = id
    // The runtime keeps the annotations of creation; those that came later are in the Store only.
    request.containerAnnotations.merge(remembered?.request.containerAnnotations ?? [:]) { _, later in later }
    let inForce = resourcesInForce
    if inForce != LinuxContainerResources() {
      var resources = request.containerResources
      resources.overlay(inForce: inForce, remembered: remembered?.request.containerResources)
      if resources != LinuxContainerResources() { request.containerResources = resources }
    }
    request.podCgroupParent =
      ownCgroupParent(id: id, podCgroupParent: pod?.request.cgroupParent) ?? remembered?.request.podCgroupParent ?? ""
    return ContainerRecord(podSandboxID: podSandboxID, request)
  }

  private var resourcesInForce: LinuxContainerResources {
    if status.hasResources, status.resources.hasLinux { return LinuxContainerResources(status.resources.linux) }
    return info?.runtimeSpec?.linux?.resources.map { LinuxContainerResources($0) } ?? LinuxContainerResources()
  }

  /// nil if it cannot be told, empty if the container has none of its own.
  private func ownCgroupParent(id: String, podCgroupParent: String?) -> String? {
    guard let podCgroupParent, let path = info?.runtimeSpec?.linux?.cgroupsPath,
      let cgroup = CgroupsPath(path, containerID: id)
    else { return nil }
    return cgroup.differs(from: podCgroupParent) ? cgroup.parent : ""
  }
}

extension ContainerResourceHookRequest {
  init(_ status: CRIContainerStatus) {
    self.init()
    containerMeta.name = status.metadata.name
    containerMeta.attempt = status.metadata.attempt
    containerAnnotations = status.annotations
  }

  init(_ config: VerboseContainerStatus.Info.Config, processEnv: [String]?) {
    self.init()
    containerMeta.name = config.metadata?.name ?? ""
    containerMeta.attempt = UInt32(clamping: config.metadata?.attempt?.value ?? 0)
    containerAnnotations = config.annotations ?? [:]
    containerEnvs =
      VerboseEnvs((config.envs ?? []).map { ($0.key ?? "", $0.value ?? "") }, processEnv: processEnv).visible
    if let resources = config.linux?.resources { containerResources = LinuxContainerResources(resources) }
  }
}
