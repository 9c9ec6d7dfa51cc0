package import HookMessages

extension ContainerResourceHookRequest: HookRequest {
  package typealias Answer = ContainerResourceHookResponse

  package func value(of field: Field) -> FieldValue? {
    switch field {
    case .annotation(let key): containerAnnotations[key].map { .text($0) }
    case .cgroupParent: FieldValue(nonEmpty: podCgroupParent)
    case .resource, .hugepageLimit, .unified: hasContainerResources ? containerResources.value(of: field) : nil
    case .env(let key): containerEnvs[key].map { .text($0) }
    case .label: nil
    }
  }

  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would copy them.
    var annotations = containerAnnotations
    var resources = containerResources
    var envs = containerEnvs
    var hasResources = hasContainerResources
    containerAnnotations = [:]
    containerEnvs = [:]
    clearContainerResources()
    for change in changes {
      switch change.field {
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .cgroupParent: podCgroupParent = change.value.text ?? podCgroupParent
      case .resource, .hugepageLimit, .unified:
        resources.apply(change)
        hasResources = true
      case .env(let key): if let text = change.value.text { envs[key] = text }
      case .label: break
      }
    }
    containerAnnotations = annotations
    containerEnvs = envs
    if hasResources { containerResources = resources }
  }

  package static func opinions(in answer: ContainerResourceHookResponse) -> [Change] {
    var changes = answer.containerAnnotations.changes { .annotation(key: $0) }
    if let parent = FieldValue(nonEmpty: answer.podCgroupParent) { changes.append(Change(.cgroupParent, parent)) }
    if answer.hasContainerResources { changes += answer.containerResources.opinions }
    return changes + answer.containerEnvs.changes { .env(key: $0) }
  }

  package static func resources(in answer: ContainerResourceHookResponse) -> LinuxContainerResources? {
    answer.hasContainerResources ? answer.containerResources : nil
  }
}
