internal import CRIMessages
internal import FoundationEssentials
internal import SwiftProtobuf

/// A container of the simulated runtime.
struct Container {
  let pod: String
  var state = 0
  private let config: CRIContainerConfig
  private let cgroup: String
  /// What is in force, updates included.
  private var resources: CRILinuxContainerResources

  init(_ config: CRIContainerConfig, pod: String, cgroup: String) {
    self.config = config
    self.pod = pod
    self.cgroup = cgroup
    resources = config.linux.resources
  }

  mutating func update(_ newer: CRILinuxContainerResources) {
    if newer.cpuShares != 0 { resources.cpuShares = newer.cpuShares }
    if newer.cpuQuota != 0 { resources.cpuQuota = newer.cpuQuota }
    if newer.memoryLimitInBytes != 0 { resources.memoryLimitInBytes = newer.memoryLimitInBytes }
  }

  /// A Container as it is listed: RuntimeManager reads two ids; kubelet gets metadata, state and annotations.
  func listed(_ id: String) -> [UInt8] {
    let ids = CRIContainer.with {
      $0.id = id
      $0.podSandboxID = pod
    }
    return encoded(ids) + WireField.bytes(3, encoded(config.metadata)) + WireField.number(6, state)
      + WireField.map(9, config.annotations)
  }

  func status(_ id: String, verbose: Bool) -> CRIContainerStatusResponse {
    .with {
      $0.status.id = id
      $0.status.metadata = config.metadata
      $0.status.annotations = config.annotations
      $0.status.resources.linux = resources
      if verbose { $0.info = ["info": info(id)] }
    }
  }

  private func info(_ id: String) -> String {
    let envs = config.envs.map { ($0.key, String(decoding: $0.value, as: UTF8.self)) }
    return JSONText.object([
      ("sandboxID", JSONText.string(pod)), ("pid", "2"),
      (
        "config",
        JSONText.object([
          (
            "metadata",
            JSONText.object([
              ("name", JSONText.string(config.metadata.name)), ("attempt", JSONText.number(config.metadata.attempt)),
            ])
          ),
          (
            "envs",
            JSONText.array(
              envs.map { JSONText.object([("key", JSONText.string($0.0)), ("value", JSONText.string($0.1))]) })
          ),
          ("annotations", JSONText.map(config.annotations)),
          ("linux", JSONText.object([("resources", JSONText.resources(config.linux.resources))])),
        ])
      ),
      (
        "runtimeSpec",
        JSONText.object([
          ("process", JSONText.object([("env", JSONText.array(envs.map { JSONText.string("\($0.0)=\($0.1)") }))])),
          ("linux", JSONText.object([("cgroupsPath", JSONText.string("\(cgroup)/\(id)"))])),
        ])
      ),
    ])
  }
}

extension CRIContainerConfig {
  /// The container of that number, as kubelet describes an ordinary one.
  static func sample(_ number: Int, envs: Int) -> Self {
    .with {
      $0.metadata.name = "main-\(number)"
      $0.envs = (0..<envs).map { index in
        CRIKeyValue.with {
          $0.key = "EXAMPLE_SERVICE_PORT_\(index)"
          $0.value.append(contentsOf: "tcp://10.96.0.10:\(10_000 + index)".utf8)
        }
      }
      $0.annotations = [
        "io.kubernetes.container.hash": "7c5ddbdf", "io.kubernetes.container.restartCount": "0",
        "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
        "io.kubernetes.container.terminationMessagePolicy": "File", "io.kubernetes.pod.terminationGracePeriod": "30",
      ]
      $0.linux.resources.cpuShares = 1024
      $0.linux.resources.memoryLimitInBytes = 256 << 20
      $0.linux.resources.oomScoreAdj = 900
    }
  }
}
