internal import CRIMessages
internal import SwiftProtobuf

/// A pod sandbox of the simulated runtime.
struct Pod {
  private let config: CRIPodSandboxConfig
  private let handler: String

  init(_ config: CRIPodSandboxConfig, handler: String) {
    self.config = config
    self.handler = handler
  }

  var cgroup: String { config.linux.cgroupParent }

  /// A PodSandbox as it is listed: what RuntimeManager reads is its id; kubelet gets metadata and all labels.
  func listed(_ id: String) -> [UInt8] {
    encoded(CRIPodSandbox.with { $0.id = id }) + WireField.bytes(2, encoded(config.metadata))
      + WireField.map(5, config.labels) + WireField.map(6, config.annotations)
  }

  func status(_ id: String, verbose: Bool) -> CRIPodSandboxStatusResponse {
    .with {
      $0.status.id = id
      $0.status.metadata = config.metadata
      $0.status.labels = config.labels
      $0.status.annotations = config.annotations
      $0.status.runtimeHandler = handler
      if verbose { $0.info = ["info": info] }
    }
  }

  private var info: String {
    let metadata = config.metadata
    return JSONText.object([
      ("pid", "1"), ("runtimeHandler", handler.isEmpty ? nil : JSONText.string(handler)),
      (
        "config",
        JSONText.object([
          (
            "metadata",
            JSONText.object([
              ("name", JSONText.string(metadata.name)), ("uid", JSONText.string(metadata.uid)),
              ("namespace", JSONText.string(metadata.namespace)), ("attempt", JSONText.number(metadata.attempt)),
            ])
          ),
          ("labels", JSONText.map(config.labels)), ("annotations", JSONText.map(config.annotations)),
          ("linux", JSONText.object([("cgroup_parent", JSONText.string(cgroup))])),
        ])
      ),
    ])
  }
}

extension CRIPodSandboxConfig {
  /// The pod of that number, as kubelet describes an ordinary one.
  static func sample(_ number: Int) -> Self {
    .with {
      $0.metadata.name = "web-\(number)"
      $0.metadata.uid = "6f0c3c9e-1f5b-4d59-9a43-\(100_000_000_000 + number)"
      $0.metadata.namespace = "default"
      $0.labels = [
        "io.kubernetes.pod.name": $0.metadata.name, "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.uid": $0.metadata.uid, "app": "web", "pod-template-hash": "7c5ddbdf54",
      ]
      $0.annotations = [
        "kubernetes.io/config.seen": "2025-01-01T00:00:00.000000000Z", "kubernetes.io/config.source": "api",
      ]
      $0.linux.cgroupParent = "/kubepods/burstable/pod\($0.metadata.uid)"
    }
  }
}
