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

  package mutating func apply(_ change: Change) {
    switch change.field {
    case .annotation(let key): containerAnnotations[key] = change.value.text ?? containerAnnotations[key]
    case .cgroupParent: podCgroupParent = change.value.text ?? podCgroupParent
    case .resource, .hugepageLimit, .unified: containerResources.apply(change)
    case .env(let key): containerEnvs[key] = change.value.text ?? containerEnvs[key]
    case .label: break
    }
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
