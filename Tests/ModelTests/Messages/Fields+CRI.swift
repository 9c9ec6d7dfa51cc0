import CRIMessages
import CRIServer
import FoundationEssentials
import SwiftProtobuf

extension CRIPodSandboxConfig {
  fileprivate var fields: Fields {
    var fields = linux.resources.fields
    fields.put("ns", metadata.namespace)
    fields.put("name", metadata.name)
    fields.put("uid", metadata.uid)
    fields.put("label ", labels)
    fields.put("annotation ", annotations)
    fields.put("cgroup", linux.cgroupParent)
    return fields
  }

  fileprivate init(_ fields: Fields) {
    self.init()
    metadata.namespace = fields["ns"] ?? ""
    metadata.name = fields["name"] ?? ""
    metadata.uid = fields["uid"] ?? ""
    labels = fields.beginning("label ")
    annotations = fields.beginning("annotation ")
    linux.cgroupParent = fields["cgroup"] ?? ""
    if fields.hasResources { linux.resources.set(fields) }
  }
}

extension CRICreateContainerRequest {
  fileprivate var fields: Fields {
    var fields = config.linux.resources.fields
    fields.put("name", config.metadata.name)
    fields.put("annotation ", config.annotations)
    for env in config.envs { fields["env \(env.key)"] = String(decoding: env.value, as: UTF8.self) }
    fields.put("sandbox", podSandboxID)
    var pod = sandboxConfig.fields
    fields["cgroup"] = pod.removeValue(forKey: "cgroup")
    return fields.overlaid(by: pod.prefixed("pod "))
  }

  fileprivate init(_ fields: Fields) {
    self.init()
    podSandboxID = fields["sandbox"] ?? ""
    config.metadata.name = fields["name"] ?? ""
    config.annotations = fields.beginning("annotation ")
    config.envs = fields.beginning("env ").sorted { $0.key < $1.key }.map { key, value in
      .with {
        $0.key = key
        $0.value = Data(value.utf8)
      }
    }
    if fields.hasResources { config.linux.resources.set(fields) }
    var pod = fields.beginning("pod ")
    pod["cgroup"] = fields["cgroup"]
    sandboxConfig = CRIPodSandboxConfig(pod)
  }
}

extension Verb {
  /// The request's message that says `fields`.
  func message(_ fields: Fields) -> [UInt8] {
    let id = fields["id"] ?? ""
    let message: any Message =
      switch self {
      case .runPodSandbox: CRIRunPodSandboxRequest.with { $0.config = CRIPodSandboxConfig(fields) }
      case .stopPodSandbox: CRIStopPodSandboxRequest.with { $0.podSandboxID = id }
      case .removePodSandbox: CRIRemovePodSandboxRequest.with { $0.podSandboxID = id }
      case .createContainer: CRICreateContainerRequest(fields)
      case .startContainer: CRIStartContainerRequest.with { $0.containerID = id }
      case .stopContainer:
        CRIStopContainerRequest.with {
          $0.containerID = id
          $0.timeout = Int64(fields["timeout"] ?? "") ?? 0
        }
      case .removeContainer: CRIRemoveContainerRequest.with { $0.containerID = id }
      case .updateContainerResources:
        CRIUpdateContainerResourcesRequest.with {
          $0.containerID = id
          if fields.hasResources { $0.linux.set(fields) }
          $0.annotations = fields.beginning("annotation ")
        }
      case .updatePodSandboxResources:
        CRIUpdatePodSandboxResourcesRequest.with {
          $0.podSandboxID = id
          $0.resources.set(fields)
        }
      }
    return (try? message.serializedBytes()) ?? []
  }

  /// What the message of a request says; nil if it cannot be decoded.
  func fields(_ message: [UInt8]) -> Fields? {
    switch self {
    case .runPodSandbox: return try? CRIRunPodSandboxRequest(serializedBytes: message).config.fields
    case .stopPodSandbox: return id(try? CRIStopPodSandboxRequest(serializedBytes: message).podSandboxID)
    case .removePodSandbox: return id(try? CRIRemovePodSandboxRequest(serializedBytes: message).podSandboxID)
    case .createContainer: return try? CRICreateContainerRequest(serializedBytes: message).fields
    case .startContainer: return id(try? CRIStartContainerRequest(serializedBytes: message).containerID)
    case .removeContainer: return id(try? CRIRemoveContainerRequest(serializedBytes: message).containerID)
    case .stopContainer:
      guard let request = try? CRIStopContainerRequest(serializedBytes: message) else { return nil }
      var fields = ["id": request.containerID]
      fields.put("timeout", request.timeout)
      return fields
    case .updateContainerResources:
      guard let request = try? CRIUpdateContainerResourcesRequest(serializedBytes: message) else { return nil }
      var fields = request.linux.fields
      fields.put("id", request.containerID)
      fields.put("annotation ", request.annotations)
      return fields
    case .updatePodSandboxResources:
      guard let request = try? CRIUpdatePodSandboxResourcesRequest(serializedBytes: message) else { return nil }
      return request.resources.fields.overlaid(by: ["id": request.podSandboxID])
    }
  }

  private func id(_ id: String?) -> Fields? { id.map { ["id": $0] } }

  /// The message of a good answer that has made `id`.
  func answer(id: String) -> [UInt8] {
    let message: any Message =
      switch self {
      case .runPodSandbox: CRIRunPodSandboxResponse.with { $0.podSandboxID = id }
      case .createContainer: CRICreateContainerResponse.with { $0.containerID = id }
      default: Google_Protobuf_Empty()
      }
    return (try? message.serializedBytes()) ?? []
  }
}
