import CRIServer
import GRPC

/// What kubelet knows, and what it does next: it calls for several pods at once, stops things again, and finds what a
/// call of unknown outcome has left.
struct Kubelet {
  struct Object {
    var id: RuntimeObject.ID
    /// A pod as kubelet asked for it.
    var config: Fields
  }

  private(set) var objects: [String: Object] = [:]
  /// What was removed; kubelet may still come back to it.
  private(set) var gone: [String] = []
  private var asked = 0

  private static let podsLimit = 4
  private static let containersLimit = 3

  // MARK: What it learns

  mutating func learned(_ id: RuntimeObject.ID, _ config: Fields) { objects[id.id] = Object(id: id, config: config) }

  mutating func ended(_ call: KubeletCall, _ verdict: Verdict) {
    guard verdict == .runtime(.ok) || verdict == .runtime(.notFound) else { return }
    let id = call.fields["id"] ?? ""
    switch call.verb {
    case .removeContainer: forget { $0.id.id == id }
    case .removePodSandbox: forget { $0.id.podSandboxID == id }
    case .runPodSandbox, .createContainer, .startContainer, .stopContainer, .stopPodSandbox,
      .updateContainerResources, .updatePodSandboxResources:
      break
    }
  }

  private mutating func forget(_ isGone: (Object) -> Bool) {
    for (id, object) in objects where isGone(object) {
      objects[id] = nil
      gone.append(id)
    }
    gone.sort()
  }

  // MARK: What it does

  /// - Parameter busy: objects about which a call is under way; the names of those that are being made.
  mutating func next(_ random: inout SeededGenerator, busy: Set<String>) -> KubeletCall? {
    let all = objects.values.sorted { $0.id < $1.id }
    let pods = all.filter { $0.id.isPod }
    let containers = all.filter { !$0.id.isPod && !busy.contains($0.id.id) }
    let verbs: [Verb] = [
      .runPodSandbox, .runPodSandbox, .createContainer, .createContainer, .createContainer, .startContainer,
      .startContainer, .updateContainerResources, .updateContainerResources, .stopContainer, .stopContainer,
      .removeContainer, .stopPodSandbox, .stopPodSandbox, .removePodSandbox, .updatePodSandboxResources,
    ]
    guard let verb = random.pick(verbs) else { return nil }
    let fields: Fields?
    switch verb {
    case .runPodSandbox: fields = pods.count < Self.podsLimit ? newPod(&random) : nil
    case .createContainer:
      let roomy = pods.filter { pod in all.count { $0.id.podSandboxID == pod.id.id } <= Self.containersLimit }
      fields = random.pick(roomy).map { newContainer(in: $0, &random) }
    case .startContainer, .removeContainer: fields = random.pick(containers).map { ["id": $0.id.id] }
    case .updateContainerResources: fields = random.pick(containers).map { update($0.id.id, &random) }
    case .stopContainer:
      // Also while something else goes on, and of what is long gone.
      let any = all.filter { !$0.id.isPod }.map(\.id.id) + gone.suffix(2)
      fields = random.pick(any).map { ["id": $0, "timeout": "\(Int.random(in: 1...30, using: &random))"] }
    case .stopPodSandbox: fields = random.pick(pods).map { ["id": $0.id.id] }
    case .removePodSandbox:
      fields = random.pick(pods.filter { !busy.contains($0.id.id) }).map { ["id": $0.id.id] }
    case .updatePodSandboxResources:
      fields = random.pick(pods.filter { !busy.contains($0.id.id) })
        .map { ["id": $0.id.id, "cpu_shares": "\(Int.random(in: 2...9, using: &random))"] }
    }
    let timeouts: [Duration?] = [nil, .seconds(3), .seconds(10), .seconds(60), .seconds(120)]
    return fields.map { KubeletCall(verb: verb, fields: $0, timeout: random.pick(timeouts) ?? nil) }
  }

  private mutating func newPod(_ random: inout SeededGenerator) -> Fields {
    asked += 1
    var fields: Fields = [
      "ns": random.isOne(in: 6) ? "kube-system" : "shop", "name": "pod\(asked)", "uid": "u\(asked)",
      "cgroup": "/kubepods/u\(asked)", "cpu_shares": "\(Int.random(in: 2...9, using: &random))",
      "label io.kubernetes.app": "x",
    ]
    if random.isOne(in: 2) { fields["label l1"] = "kubelet" }
    if random.isOne(in: 2) { fields["annotation a1"] = "kubelet" }
    if random.isOne(in: 2) { fields["cpus"] = "0-3" }
    if random.isOne(in: 10) { fields["label \(Fields.skipKey)"] = "true" }
    if random.isOne(in: 10) { fields["annotation \(Fields.sourceKey)"] = "file" }
    return fields
  }

  private mutating func newContainer(in pod: Object, _ random: inout SeededGenerator) -> Fields {
    asked += 1
    var config = pod.config
    var fields: Fields = ["sandbox": pod.id.id, "name": "container\(asked)"]
    fields["cgroup"] = config.removeValue(forKey: "cgroup")
    fields.merge(config.prefixed("pod ")) { $1 }
    fields["cpu_shares"] = "\(Int.random(in: 2...9, using: &random))"
    if random.isOne(in: 2) { fields["oom"] = "900" }
    if random.isOne(in: 2) { fields["cpus"] = "0-3" }
    if random.isOne(in: 2) { fields["annotation a1"] = "kubelet" }
    if random.isOne(in: 2) { fields["env E1"] = "kubelet" }
    return fields
  }

  private func update(_ id: String, _ random: inout SeededGenerator) -> Fields {
    var fields: Fields = ["id": id]
    if random.isOne(in: 2) { fields["cpu_shares"] = "\(Int.random(in: 2...9, using: &random))" }
    if random.isOne(in: 2) { fields["cpus"] = random.pick(["0-3", "4-7"]) }
    if random.isOne(in: 3) { fields["annotation a1"] = "updated" }
    return fields
  }
}
