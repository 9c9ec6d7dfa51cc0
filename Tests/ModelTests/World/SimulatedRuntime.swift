import CRIMessages
import CRIServer
import GRPC
import SwiftProtobuf

/// A pod sandbox or container as the runtime has it.
struct RuntimeObject: Sendable, Hashable {
  struct ID: Sendable, Hashable, Comparable {
    var isPod: Bool
    var id: String
    var podSandboxID: String

    static func < (left: ID, right: ID) -> Bool { left.id < right.id }
  }

  var id: ID
  /// As it was asked for at creation.
  var config: Fields
  /// Resources that were updated since.
  var updates: Fields = [:]
}

/// A container runtime as CRI describes it: what it has, and what its answers do.
struct SimulatedRuntime {
  private(set) var objects: [String: RuntimeObject] = [:]
  private var made = 0

  var ids: [RuntimeObject.ID] { objects.values.map(\.id).sorted() }

  /// Does what is asked.
  /// - Returns: the status, and the id of what was made.
  mutating func execute(_ verb: Verb, _ fields: Fields) -> Reply {
    let id = fields["id"] ?? ""
    switch verb {
    case .runPodSandbox:
      return make(isPod: true, podSandboxID: nil, fields)
    case .createContainer:
      guard let pod = fields["sandbox"], objects[pod] != nil else { return .status(.notFound, id: "") }
      return make(isPod: false, podSandboxID: pod, fields)
    case .startContainer, .stopContainer, .stopPodSandbox:
      return .status(objects[id] == nil ? .notFound : .ok, id: "")
    case .updateContainerResources, .updatePodSandboxResources:
      guard objects[id] != nil else { return .status(.notFound, id: "") }
      if verb == .updateContainerResources {
        objects[id]?.updates.merge(fields.resources.filter { $0.key != "oom" }) { $1 }
      }
      return .status(.ok, id: "")
    case .removeContainer:
      objects[id] = nil
      return .status(.ok, id: "")
    case .removePodSandbox:
      objects = objects.filter { $0.value.id.podSandboxID != id }
      return .status(.ok, id: "")
    }
  }

  private mutating func make(isPod: Bool, podSandboxID: String?, _ config: Fields) -> Reply {
    made += 1
    let id = isPod ? "p\(made)" : "c\(made)"
    objects[id] = RuntimeObject(
      id: .init(isPod: isPod, id: id, podSandboxID: podSandboxID ?? id), config: config)
    return .status(.ok, id: id)
  }
}

extension RuntimeObject {
  var podStatus: CRIPodSandboxStatusResponse {
    .with {
      $0.status.id = id.id
      $0.info["info"] = #"{"config": \#(podConfigJSON)}"#
    }
  }

  var containerStatus: CRIContainerStatusResponse {
    .with {
      $0.status.id = id.id
      $0.status.resources.linux.set(config.resources.overlaid(by: updates))
      $0.info["info"] = """
        {"sandboxID": "\(id.podSandboxID)", "config": \(containerConfigJSON),
        "runtimeSpec": {"linux": {"cgroupsPath": "\(config["cgroup"] ?? "")/\(id.id)"}}}
        """
    }
  }

  private var podConfigJSON: String {
    """
    {"metadata": {"name": "\(config["name"] ?? "")", "uid": "\(config["uid"] ?? "")",
    "namespace": "\(config["ns"] ?? "")"}, "labels": \(json(config.beginning("label "))),
    "annotations": \(json(config.beginning("annotation "))),
    "linux": {"cgroup_parent": "\(config["cgroup"] ?? "")"\(resourcesJSON)}}
    """
  }

  private var containerConfigJSON: String {
    let envs = config.beginning("env ").sorted { $0.key < $1.key }
      .map { #"{"key": "\#($0.key)", "value": "\#($0.value)"}"# }.joined(separator: ", ")
    return """
      {"metadata": {"name": "\(config["name"] ?? "")"}, "annotations": \(json(config.beginning("annotation "))),
      "envs": [\(envs)], "linux": {"x": 0\(resourcesJSON)}}
      """
  }

  private var resourcesJSON: String {
    let names = [
      "cpu_shares": "cpu_shares", "memory": "memory_limit_in_bytes", "oom": "oom_score_adj", "cpus": "cpuset_cpus",
      "mems": "cpuset_mems",
    ]
    guard config.hasResources else { return "" }
    let members = config.resources.sorted { $0.key < $1.key }.map { name, value in
      "\"\(names[name] ?? "")\": " + (Fields.cpusets.contains(name) ? "\"\(value)\"" : value)
    }
    return #", "resources": {"# + members.joined(separator: ", ") + "}"
  }

  private func json(_ map: [String: String]) -> String {
    "{" + map.sorted { $0.key < $1.key }.map { #""\#($0.key)": "\#($0.value)""# }.joined(separator: ", ") + "}"
  }
}
