internal import YAML

/// Finds the pods in a manifest. Only what ``Pod`` has is read; everything else is left to the API server.
struct PodReader {
  /// What a manifest says that no pod can say.
  struct Wrong: Error, Hashable {
    let line: Int
    let problem: String
  }

  /// The pods of all documents; other objects are passed over, lists (`kind: List`) are opened.
  static func pods(in documents: [YAMLNode]) throws(Wrong) -> [Pod] {
    var pods: [Pod] = []
    for document in documents {
      let object = try Object(document, "the manifest")
      if try object["items"] != nil {
        for item in try object.list("items") { try pods += self.pods(in: [item]) }
      } else if try object.text("kind") == "Pod" {
        pods.append(try pod(object))
      }
    }
    return pods
  }

  private static func pod(_ object: Object) throws(Wrong) -> Pod {
    guard let metadata = try object.object("metadata"), let name = try metadata.text("name"), !name.isEmpty else {
      throw Wrong(line: object.line, problem: "metadata.name: is missing")
    }
    guard let spec = try object.object("spec") else { throw Wrong(line: object.line, problem: "spec: is missing") }
    var pod = Pod(name: name)
    pod.namespace = try metadata.text("namespace") ?? pod.namespace
    pod.uid = try metadata.text("uid") ?? pod.uid
    pod.labels = try metadata.texts("labels")
    pod.annotations = try metadata.texts("annotations")
    for node in try spec.list("initContainers") {
      pod.initContainers.append(try container(node, "spec.initContainers"))
    }
    for node in try spec.list("containers") { pod.containers.append(try container(node, "spec.containers")) }
    guard !pod.containers.isEmpty else { throw Wrong(line: spec.line, problem: "spec.containers: is missing") }
    pod.overhead = try spec.quantities("overhead")
    pod.runtimeClassName = try spec.text("runtimeClassName") ?? ""
    pod.priorityClassName = try spec.text("priorityClassName") ?? ""
    if let seconds = try spec.text("terminationGracePeriodSeconds") {
      guard let number = Int64(seconds), number >= 0 else {
        throw Wrong(line: spec.line, problem: "spec.terminationGracePeriodSeconds: a number of seconds is meant")
      }
      pod.terminationGracePeriodSeconds = number
    }
    return pod
  }

  private static func container(_ node: YAMLNode, _ path: String) throws(Wrong) -> Pod.Container {
    let object = try Object(node, path)
    guard let name = try object.text("name"), !name.isEmpty else {
      throw Wrong(line: object.line, problem: "\(path).name: is missing")
    }
    var container = Pod.Container(name: name)
    for node in try object.list("env") {
      let env = try Object(node, "\(path).env")
      guard let name = try env.text("name") else {
        throw Wrong(line: env.line, problem: "\(path).env.name: is missing")
      }
      if try env["valueFrom"] != nil {
        container.unknownEnvs += 1
      } else {
        container.envs.append(Pod.Env(name: name, value: try env.text("value") ?? ""))
      }
    }
    container.unknownEnvs += try object.list("envFrom").count
    container.isSidecar = try object.text("restartPolicy") == "Always"
    if let resources = try object.object("resources") {
      container.limits = try resources.quantities("limits")
      // The API server fills in what is missing so (core/v1 defaults).
      container.requests = container.limits.merging(try resources.quantities("requests")) { $1 }
    }
    return container
  }
}

/// A mapping of the manifest, and what it is called there.
private struct Object {
  private let members: [YAMLNode.Member]
  private let path: String
  let line: Int

  init(_ node: YAMLNode, _ path: String) throws(PodReader.Wrong) {
    guard case .mapping(let members) = node.value else {
      throw PodReader.Wrong(line: node.line, problem: "\(path): an object is meant")
    }
    self.members = members
    self.path = path
    line = node.line
  }

  /// `nil` if the key is absent or null; of two the last counts.
  subscript(key: String) -> YAMLNode? {
    get throws(PodReader.Wrong) {
      let value = members.last { $0.key.text == key }?.value
      return value?.isNull == false ? value : nil
    }
  }

  func text(_ key: String) throws(PodReader.Wrong) -> String? {
    guard let value = try self[key] else { return nil }
    guard let text = value.text else {
      throw PodReader.Wrong(line: value.line, problem: "\(path).\(key): a text is meant")
    }
    return text
  }

  func object(_ key: String) throws(PodReader.Wrong) -> Object? {
    guard let value = try self[key] else { return nil }
    return try Object(value, path == "the manifest" ? key : "\(path).\(key)")
  }

  func list(_ key: String) throws(PodReader.Wrong) -> [YAMLNode] {
    guard let value = try self[key] else { return [] }
    guard case .list(let items) = value.value else {
      throw PodReader.Wrong(line: value.line, problem: "\(path).\(key): a list is meant")
    }
    return items
  }

  func texts(_ key: String) throws(PodReader.Wrong) -> [String: String] {
    guard let object = try object(key) else { return [:] }
    var texts: [String: String] = [:]
    for member in object.members {
      guard let name = member.key.text, let text = member.value.text else {
        throw PodReader.Wrong(line: member.key.line, problem: "\(object.path): texts are meant")
      }
      texts[name] = text
    }
    return texts
  }

  func quantities(_ key: String) throws(PodReader.Wrong) -> [String: Quantity] {
    guard let object = try object(key) else { return [:] }
    var quantities: [String: Quantity] = [:]
    for member in object.members {
      guard let name = member.key.text, let text = member.value.text, let quantity = Quantity(text) else {
        throw PodReader.Wrong(
          line: member.value.line, problem: "\(object.path): a quantity such as 500m or 1Gi is meant")
      }
      quantities[name] = quantity
    }
    return quantities
  }
}
