import HookMessages
import SwiftProtobuf

extension PodSandboxHookRequest {
  static let sample = PodSandboxHookRequest.with {
    $0.podMeta = .with {
      $0.name = "web-0"
      $0.uid = "0a1b"
      $0.namespace = "shop"
    }
    $0.labels = ["app": "web"]
    $0.annotations = ["team": "blue"]
    $0.cgroupParent = "/kubepods/pod1"
    $0.resources = .with { $0.cpuShares = 1024 }
  }
}

extension ContainerResourceHookRequest {
  static let sample = ContainerResourceHookRequest.with {
    $0.containerMeta = .with {
      $0.name = "nginx"
      $0.id = "container"
    }
    $0.containerAnnotations = ["size": "small"]
    $0.containerResources = .with { $0.cpuShares = 512 }
    $0.containerEnvs = ["MODE": "fast"]
  }
}
