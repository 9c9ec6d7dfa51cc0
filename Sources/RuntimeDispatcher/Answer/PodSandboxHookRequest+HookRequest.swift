package import HookMessages

extension PodSandboxHookRequest: HookRequest {
  package typealias Answer = PodSandboxHookResponse

  package var podLabels: [String: String] { labels }
  package var podAnnotations: [String: String] { annotations }

  package func value(of field: Field) -> FieldValue? {
    switch field {
    case .label(let key): labels[key].map { .text($0) }
    case .annotation(let key): annotations[key].map { .text($0) }
    case .cgroupParent: FieldValue(nonEmpty: cgroupParent)
    case .resource, .hugepageLimit, .unified: hasResources ? resources.value(of: field) : nil
    case .env: nil
    }
  }

  package mutating func apply(_ change: Change) {
    switch change.field {
    case .label(let key): labels[key] = change.value.text ?? labels[key]
    case .annotation(let key): annotations[key] = change.value.text ?? annotations[key]
    case .cgroupParent: cgroupParent = change.value.text ?? cgroupParent
    case .resource, .hugepageLimit, .unified: resources.apply(change)
    case .env: break
    }
  }

  package static func opinions(in answer: PodSandboxHookResponse) -> [Change] {
    var changes = answer.labels.changes { .label(key: $0) } + answer.annotations.changes { .annotation(key: $0) }
    if let parent = FieldValue(nonEmpty: answer.cgroupParent) { changes.append(Change(.cgroupParent, parent)) }
    if answer.hasResources { changes += answer.resources.opinions }
    return changes
  }

  package static func resources(in answer: PodSandboxHookResponse) -> LinuxContainerResources? {
    answer.hasResources ? answer.resources : nil
  }
}
