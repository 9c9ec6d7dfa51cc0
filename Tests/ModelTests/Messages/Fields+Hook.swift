import HookMessages
import SwiftProtobuf

extension PodSandboxHookRequest {
  var fields: Fields {
    var fields = resources.fields
    fields.put("ns", podMeta.namespace)
    fields.put("name", podMeta.name)
    fields.put("uid", podMeta.uid)
    fields.put("label ", labels)
    fields.put("annotation ", annotations)
    fields.put("cgroup", cgroupParent)
    return fields
  }
}

extension ContainerResourceHookRequest {
  var fields: Fields {
    var fields = containerResources.fields.overlaid(by: podResources.fields.prefixed("pod "))
    fields.put("name", containerMeta.name)
    fields.put("id", containerMeta.id)
    fields.put("annotation ", containerAnnotations)
    fields.put("env ", containerEnvs)
    fields.put("cgroup", podCgroupParent)
    fields.put("pod ns", podMeta.namespace)
    fields.put("pod name", podMeta.name)
    fields.put("pod uid", podMeta.uid)
    fields.put("pod label ", podLabels)
    fields.put("pod annotation ", podAnnotations)
    return fields
  }
}

extension PodSandboxHookResponse {
  var fields: Fields {
    var fields = resources.fields
    fields.put("label ", labels)
    fields.put("annotation ", annotations)
    fields.put("cgroup", cgroupParent)
    return fields
  }

  init(_ fields: Fields) {
    self.init()
    labels = fields.beginning("label ")
    annotations = fields.beginning("annotation ")
    cgroupParent = fields["cgroup"] ?? ""
    if fields.hasResources { resources.set(fields) }
  }
}

extension ContainerResourceHookResponse {
  init(_ fields: Fields) {
    self.init()
    containerAnnotations = fields.beginning("annotation ")
    containerEnvs = fields.beginning("env ")
    podCgroupParent = fields["cgroup"] ?? ""
    if fields.hasResources { containerResources.set(fields) }
  }
}
