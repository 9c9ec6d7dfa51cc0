internal import ArgumentParser
internal import CRIMessages
internal import FoundationEssentials
internal import SwiftProtobuf

/// How kubelet names cgroups.
enum CgroupDriver: String, CaseIterable, ExpressibleByArgument {
  case systemd
  case cgroupfs
}

/// The CRI requests that kubelet would send for a pod, as far as its manifest tells.
///
/// Left out is what needs the API server or the node: values of `valueFrom` and `envFrom`, service variables, images,
/// mounts. Plugins see none of the latter two.
struct KubeletRequests {
  let pod: Pod
  let cgroupDriver: CgroupDriver
  let nodeMemoryBytes: Int64

  var runPodSandbox: CRIRunPodSandboxRequest {
    .with {
      $0.config = sandboxConfig
      $0.runtimeHandler = pod.runtimeClassName
    }
  }

  func createContainer(_ container: Pod.Container) -> CRICreateContainerRequest {
    .with { request in
      request.podSandboxID = Simulation.podSandboxID
      request.config = .with { config in
        config.metadata = .with { $0.name = container.name }
        config.annotations = [
          "io.kubernetes.container.hash": "0", "io.kubernetes.container.restartCount": "0",
          "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
          "io.kubernetes.container.terminationMessagePolicy": "File",
          "io.kubernetes.pod.terminationGracePeriod": "\(pod.terminationGracePeriodSeconds)",
        ]
        config.envs = container.envs.map { env in
          .with {
            $0.key = env.name
            $0.value = Data(env.value.utf8)
          }
        }
        config.linux.resources = pod.resources(of: container, nodeMemoryBytes: nodeMemoryBytes)
      }
      // Built anew for each container, without what plugins changed.
      request.sandboxConfig = sandboxConfig
    }
  }

  private var sandboxConfig: CRIPodSandboxConfig {
    .with { config in
      config.metadata = .with {
        $0.name = pod.name
        $0.namespace = pod.namespace
        $0.uid = pod.uid
      }
      config.labels = pod.labels.merging([
        "io.kubernetes.pod.name": pod.name, "io.kubernetes.pod.namespace": pod.namespace,
        "io.kubernetes.pod.uid": pod.uid,
      ]) { $1 }
      config.annotations = pod.annotations.merging(["kubernetes.io/config.source": "api"]) { own, _ in own }
      config.linux.cgroupParent = cgroupParent
      config.linux.resources = pod.totalResources
      if !pod.overhead.isEmpty {
        config.linux.overhead = CRILinuxContainerResources(
          cpuRequest: pod.overhead["cpu"], cpuLimit: pod.overhead["cpu"], memoryLimit: pod.overhead["memory"])
      }
    }
  }

  /// A pod's cgroup lies below that of its class; guaranteed pods have none.
  private var cgroupParent: String {
    let qos: String? =
      switch pod.qosClass {
      case .guaranteed: nil
      case .burstable: "burstable"
      case .bestEffort: "besteffort"
      }
    switch cgroupDriver {
    case .cgroupfs: return "/kubepods\(qos.map { "/\($0)" } ?? "")/pod\(pod.uid)"
    case .systemd:
      // A slice's name is its way (systemd.slice(5)), in which a dash goes down.
      let prefix = "kubepods\(qos.map { "-\($0)" } ?? "")"
      let above = qos == nil ? "/kubepods.slice" : "/kubepods.slice/\(prefix).slice"
      return "\(above)/\(prefix)-pod\(pod.uid.replacing("-", with: "_")).slice"
    }
  }
}
