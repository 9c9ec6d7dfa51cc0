internal import CRIMessages
internal import SwiftProtobuf

/// What kubelet makes of requests and limits (Kubernetes 1.26 to 1.37: pkg/apis/core/v1/helper/qos, pkg/kubelet/qos,
/// pkg/kubelet/cm, pkg/kubelet/kuberuntime).
enum QoSClass: String, Sendable {
  case guaranteed = "Guaranteed"
  case burstable = "Burstable"
  case bestEffort = "BestEffort"
}

extension Pod {
  private static let counted = ["cpu", "memory"]

  var qosClass: QoSClass {
    let all = containers + initContainers
    let hasAny = all.contains { container in
      Self.counted.contains { (container.requests[$0] ?? .zero) > .zero || (container.limits[$0] ?? .zero) > .zero }
    }
    guard hasAny else { return .bestEffort }
    let isGuaranteed = all.allSatisfy { container in
      Self.counted.allSatisfy {
        (container.limits[$0] ?? .zero) > .zero && container.requests[$0] == container.limits[$0]
      }
    }
    return isGuaranteed ? .guaranteed : .burstable
  }

  /// What the pod as a whole asks for, overhead aside: its containers together, or an init container while it runs
  /// beside the sidecars before it, whichever is more. `nil`: nobody says anything.
  func total(_ resource: String, _ part: KeyPath<Container, [String: Quantity]>) -> Quantity? {
    var running: Quantity?
    var most: Quantity?
    func sum(_ first: Quantity?, _ second: Quantity?) -> Quantity? {
      guard let first, let second else { return first ?? second }
      return first + second
    }
    for container in initContainers {
      let own = container[keyPath: part][resource]
      let together = sum(running, own)
      if container.isSidecar { running = together }
      most = [most, together].compactMap { $0 }.max()
    }
    for container in containers { running = sum(running, container[keyPath: part][resource]) }
    return [most, running].compactMap { $0 }.max()
  }

  var totalResources: CRILinuxContainerResources {
    CRILinuxContainerResources(
      cpuRequest: total("cpu", \.requests), cpuLimit: total("cpu", \.limits), memoryLimit: total("memory", \.limits))
  }

  /// - Parameter nodeMemoryBytes: the node's whole memory.
  func resources(of container: Container, nodeMemoryBytes: Int64) -> CRILinuxContainerResources {
    var resources = CRILinuxContainerResources(
      cpuRequest: container.requests["cpu"], cpuLimit: container.limits["cpu"], memoryLimit: container.limits["memory"])
    resources.oomScoreAdj = oomScoreAdj(of: container, nodeMemoryBytes: nodeMemoryBytes)
    let prefix = "hugepages-"
    for (name, limit) in container.limits.sorted(by: { $0.key < $1.key }) where name.hasPrefix(prefix) {
      // `2Mi` is the runtime's `2MB`.
      let size = String(name.dropFirst(prefix.count)).replacing("i", with: "B")
      resources.hugepageLimits.append(
        .with {
          $0.pageSize = size
          $0.limit = UInt64(limit.whole)
        })
    }
    return resources
  }

  private func oomScoreAdj(of container: Container, nodeMemoryBytes: Int64) -> Int64 {
    let guaranteed: Int64 = -997
    let bestEffort: Int64 = 1000
    if priorityClassName == "system-node-critical" { return guaranteed }
    switch qosClass {
    case .guaranteed: return guaranteed
    case .bestEffort: return bestEffort
    case .burstable:
      let share = Double(container.requests["memory"]?.whole ?? 0) / Double(max(nodeMemoryBytes, 1))
      return min(max(1000 - Int64(min(1000 * share, 1000)), 1000 + guaranteed), bestEffort - 1)
    }
  }
}

extension CRILinuxContainerResources {
  /// kubelet's default period, and the least quota that the kernel takes, microseconds.
  private static let periodMicroseconds: Int64 = 100_000
  private static let leastQuotaMicroseconds: Int64 = 1000

  init(cpuRequest: Quantity?, cpuLimit: Quantity?, memoryLimit: Quantity?) {
    self.init()
    cpuShares = Self.shares(milli: (cpuRequest ?? cpuLimit)?.milli ?? 0)
    cpuPeriod = Self.periodMicroseconds
    if let cpuLimit, cpuLimit > .zero {
      let milli = min(cpuLimit.milli, .max / Self.periodMicroseconds)
      cpuQuota = max(milli * Self.periodMicroseconds / 1000, Self.leastQuotaMicroseconds)
    }
    memoryLimitInBytes = memoryLimit?.whole ?? 0
  }

  /// 1024 a CPU, from 2 to 262144 (kernel: cpu.shares).
  private static func shares(milli: Int64) -> Int64 {
    min(max(min(milli, 262_144_000) * 1024 / 1000, 2), 262_144)
  }
}
