import HookMessages
import RuntimeDispatcher
import SwiftProtobuf

extension HookRequest {
  /// What a plugin that answers with this message wants changed.
  func differences(to answer: Answer) throws -> [Change] {
    try differences(toAnswer: answer.serializedBytes() as [UInt8])
  }
}

extension ContainerResourceHookRequest {
  /// A container with something in every field.
  static let example = ContainerResourceHookRequest.with {
    $0.podMeta = .with {
      $0.name = "web"; $0.namespace = "shop"; $0.uid = "u1"
    }
    $0.containerMeta = .with {
      $0.name = "main"; $0.id = "c1"
    }
    $0.podCgroupParent = "kubepods-burstable-pod1.slice"
    $0.containerAnnotations = ["io.kubernetes.container.hash": "1", "team": "red"]
    $0.containerEnvs = ["HOME": "/root", "TOKEN": "s3cret"]
    $0.containerResources = .with {
      $0.cpuShares = 100
      $0.oomScoreAdj = 900
      $0.cpusetCpus = "0-3"
      $0.cpusetMems = "0"
      $0.hugepageLimits = [
        .with {
          $0.pageSize = "2MB"; $0.limit = 4096
        }
      ]
      $0.unified = ["memory.high": "1000"]
    }
  }

  /// What koordlet answers: everything that it was sent.
  var echo: ContainerResourceHookResponse {
    .with {
      $0.containerAnnotations = containerAnnotations
      if hasContainerResources { $0.containerResources = containerResources }
      $0.podCgroupParent = podCgroupParent
      $0.containerEnvs = containerEnvs
    }
  }
}

extension PodSandboxHookRequest {
  /// A pod sandbox with something in every field.
  static let example = PodSandboxHookRequest.with {
    $0.podMeta = .with {
      $0.name = "web"; $0.namespace = "shop"; $0.uid = "u1"
    }
    $0.labels = ["io.kubernetes.pod.name": "web", "app": "web"]
    $0.annotations = ["kubernetes.io/config.source": "api", "io.kubernetes.cri.note": "1", "team": "red"]
    $0.cgroupParent = "/kubepods/burstable/pod1"
    $0.resources = .with {
      $0.cpuShares = 200; $0.cpusetCpus = "0-3"
    }
  }

  /// What koordlet answers: everything that it was sent.
  var echo: PodSandboxHookResponse {
    .with {
      $0.labels = labels
      $0.annotations = annotations
      $0.cgroupParent = cgroupParent
      if hasResources { $0.resources = resources }
    }
  }
}
