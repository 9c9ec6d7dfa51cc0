/// A pod as its manifest describes it (core/v1 Pod): what kubelet makes CRI requests of, and plugins see.
struct Pod: Sendable, Hashable {
  struct Container: Sendable, Hashable {
    var name: String
    /// Literal values; later ones of a name win, as in the runtime.
    var envs: [Env] = []
    /// By the resource's name: `cpu`, `memory`, `hugepages-2Mi`.
    var requests: [String: Quantity] = [:]
    var limits: [String: Quantity] = [:]
    /// An init container that goes on running (`restartPolicy: Always`).
    var isSidecar = false
    /// How many envs are taken from elsewhere, which a manifest does not tell.
    var unknownEnvs = 0
  }

  struct Env: Sendable, Hashable {
    let name: String
    let value: String
  }

  var name: String
  var namespace = "default"
  /// What a pod has that no API server has seen.
  var uid = "00000000-0000-0000-0000-000000000000"
  var labels: [String: String] = [:]
  var annotations: [String: String] = [:]
  var initContainers: [Container] = []
  var containers: [Container] = []
  /// What the pod needs beside its containers.
  var overhead: [String: Quantity] = [:]
  var runtimeClassName = ""
  var priorityClassName = ""
  var terminationGracePeriodSeconds: Int64 = 30
}
