internal import CRIMessages
internal import GRPC
internal import SwiftProtobuf

/// The pod sandboxes and containers of a simulated runtime: a value that life-cycle calls change.
struct Inventory {
  private var pods: [String: Pod] = [:]
  private var containers: [String: Container] = [:]
  private var serial = 0
  private let isLiving: Bool
  private var calls: [String: Int] = [:]
  private var events: [[UInt8]] = []
  private var eventCount = 0
  /// The answers to the two list calls, until something changes.
  private var listedPods: [UInt8]?
  private var listedContainers: [UInt8]?

  init(pods podCount: Int, containers containerCount: Int, envs: Int, isLiving: Bool) {
    self.isLiving = isLiving
    let podIDs = (0..<podCount).map { Self.id("a", $0) }
    for (index, id) in podIDs.enumerated() { pods[id] = Pod(.sample(index), handler: "runc") }
    for index in 0..<containerCount {
      let pod = podIDs[index % podIDs.count]
      containers[Self.id("c", index)] = Container(.sample(index, envs: envs), pod: pod, cgroup: pods[pod]?.cgroup ?? "")
    }
    serial = max(podCount, containerCount)
  }

  /// An id as containerd makes them: 64 hexadecimal digits; of what is there at start, one that can be told beforehand.
  private static func id(_ first: String, _ number: Int) -> String {
    let digits = String(number, radix: 16)
    return first + String(repeating: "0", count: 63 - digits.count) + digits
  }

  private mutating func nextID(_ first: String) -> String {
    serial += 1
    return Self.id(first, serial)
  }

  // MARK: What it tells

  private static let readingMethods: Set = ["ListPodSandbox", "ListContainers", "PodSandboxStatus", "ContainerStatus"]
  private static let livingMethods: Set = [
    "RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "CreateContainer", "StartContainer", "StopContainer",
    "RemoveContainer", "UpdateContainerResources", "ExecSync", "GetContainerEvents",
  ]

  func knows(_ method: String) -> Bool {
    Self.readingMethods.contains(method) || isLiving && Self.livingMethods.contains(method)
  }

  /// How often each method was asked, what there is, and how many events were told: JSON.
  var counts: String {
    JSONText.object([
      ("calls", JSONText.counts(calls)), ("pods", String(pods.count)), ("containers", String(containers.count)),
      ("events", String(eventCount)),
    ])
  }

  /// Messages for `GetContainerEvents`, since this was last asked.
  mutating func takeEvents() -> [[UInt8]] {
    defer { events = [] }
    return events
  }

  // MARK: Calls

  /// Answers a call that it knows.
  /// - Throws: NOT_FOUND as containerd does, INVALID_ARGUMENT for what cannot be decoded.
  mutating func answer(_ method: String, _ request: [UInt8]) throws(Status) -> [UInt8] {
    calls[method, default: 0] += 1
    switch method {
    case "ListPodSandbox": return listPods()
    case "ListContainers": return listContainers()
    case "PodSandboxStatus":
      let request: CRIPodSandboxStatusRequest = try decoded(request)
      return encoded(try pod(request.podSandboxID).status(request.podSandboxID, verbose: request.verbose))
    case "ContainerStatus":
      let request: CRIContainerStatusRequest = try decoded(request)
      return encoded(try container(request.containerID).status(request.containerID, verbose: request.verbose))
    case "ExecSync":
      // Its first field is the container's id, as in StopContainerRequest. The answer: some stdout, exit code 0.
      _ = try container((try decoded(request) as CRIStopContainerRequest).containerID)
      return WireField.bytes(1, Array("ok: 1 of 1 probes".utf8))
    default: return try change(method, request)
    }
  }

  private mutating func change(_ method: String, _ request: [UInt8]) throws(Status) -> [UInt8] {
    switch method {
    case "RunPodSandbox":
      let request: CRIRunPodSandboxRequest = try decoded(request)
      let id = nextID("a")
      pods[id] = Pod(request.config, handler: request.runtimeHandler)
      listedPods = nil
      return encoded(CRIRunPodSandboxResponse.with { $0.podSandboxID = id })
    case "CreateContainer":
      let request: CRICreateContainerRequest = try decoded(request)
      let id = nextID("c")
      let cgroup = try pod(request.podSandboxID).cgroup
      containers[id] = Container(request.config, pod: request.podSandboxID, cgroup: cgroup)
      happened(id, 0)
      return encoded(CRICreateContainerResponse.with { $0.containerID = id })
    case "StartContainer":
      let id = (try decoded(request) as CRIStartContainerRequest).containerID
      try changeState(id, to: 1)
      happened(id, 1)
    case "StopContainer":
      let id = (try decoded(request) as CRIStopContainerRequest).containerID
      try changeState(id, to: 2)
      happened(id, 2)
    case "UpdateContainerResources":
      let request: CRIUpdateContainerResourcesRequest = try decoded(request)
      var container = try container(request.containerID)
      container.update(request.linux)
      containers[request.containerID] = container
    case "RemoveContainer":
      let id = (try decoded(request) as CRIRemoveContainerRequest).containerID
      if containers.removeValue(forKey: id) != nil { happened(id, 3) }
    case "RemovePodSandbox":
      let id = (try decoded(request) as CRIRemovePodSandboxRequest).podSandboxID
      if pods.removeValue(forKey: id) != nil { listedPods = nil }
      for (container, _) in containers.filter({ $0.value.pod == id }) {
        containers[container] = nil
        happened(container, 3)
      }
    default: break  // StopPodSandbox: stopping what is gone is no error.
    }
    return []
  }

  private mutating func changeState(_ id: String, to state: Int) throws(Status) {
    var container = try container(id)
    container.state = state
    containers[id] = container
  }

  /// A ContainerEventResponse: id, type (created, started, stopped, deleted).
  private mutating func happened(_ id: String, _ type: Int) {
    listedContainers = nil
    eventCount += 1
    events.append(WireField.bytes(1, Array(id.utf8)) + WireField.number(2, type))
  }

  private func pod(_ id: String) throws(Status) -> Pod {
    guard let pod = pods[id] else {
      throw Status(.notFound, "an error occurred when try to find sandbox \"\(id)\": not found")
    }
    return pod
  }

  private func container(_ id: String) throws(Status) -> Container {
    guard let container = containers[id] else {
      throw Status(.notFound, "an error occurred when try to find container \"\(id)\": not found")
    }
    return container
  }

  private func decoded<Request: Message>(_ request: [UInt8]) throws(Status) -> Request {
    do { return try Request(serializedBytes: request) } catch { throw Status(.invalidArgument, "\(error)") }
  }

  private mutating func listPods() -> [UInt8] {
    if let listedPods { return listedPods }
    let list = pods.flatMap { WireField.bytes(1, $0.value.listed($0.key)) }
    listedPods = list
    return list
  }

  private mutating func listContainers() -> [UInt8] {
    if let listedContainers { return listedContainers }
    var list: [UInt8] = []
    for (id, container) in containers { list += WireField.bytes(1, container.listed(id)) }
    listedContainers = list
    return list
  }
}
