internal import Admin

extension PodsDocument {
  func lines(for terminal: Terminal) -> [String] {
    guard !pods.isEmpty else { return ["no pod sandboxes"] }
    return Table(
      ["POD", "ID", "ATTEMPT", "CONTAINERS", "CGROUP PARENT"],
      rows: pods.map { pod in
        [
          .init("\(pod.namespace)/\(pod.name)"), .init(Words.id(pod.id)), .init("\(pod.attempt)"),
          .init("\(pod.containers.count)"), .init(pod.cgroupParent),
        ]
      }
    ).lines(for: terminal)
  }
}

extension ContainersDocument {
  func lines(for terminal: Terminal) -> [String] {
    guard !containers.isEmpty else { return ["no containers"] }
    return Table(
      ["POD", "CONTAINER", "ID", "ATTEMPT", "RESOURCES", "ENV"],
      rows: containers.map { container in
        [
          .init(container.pod.isEmpty ? Words.id(container.podSandboxID) : "\(container.namespace)/\(container.pod)"),
          .init(container.name), .init(Words.id(container.id)), .init("\(container.attempt)"),
          .init(container.resources?.summary ?? "-"), .init("\(container.envNames.count)"),
        ]
      }
    ).lines(for: terminal)
  }
}

extension ResourcesDocument {
  /// What is set of what most often is.
  fileprivate var summary: String {
    let parts: [(String, String?)] = [
      ("shares", cpuShares.map { "\($0)" }),
      ("quota", cpuQuota.map { quota in "\(quota)" + (cpuPeriod.map { "/\($0)" } ?? "") }),
      ("cpus", cpusetCpus), ("mems", cpusetMems),
      ("memory", memoryLimitBytes.map { "\($0)" }),
    ]
    return parts.compactMap { name, value in value.map { "\(name) \($0)" } }.joined(separator: ", ")
  }
}
