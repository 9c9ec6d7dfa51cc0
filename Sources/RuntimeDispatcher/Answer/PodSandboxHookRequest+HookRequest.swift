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

  package mutating func apply(_ changes: [Change]) {
    // Taken out while they are changed: in place, each change would copy them.
    var labels = labels
    var annotations = annotations
    var resources = resources
    var hasResources = hasResources
    self.labels = [:]
    self.annotations = [:]
    clearResources()
    for change in changes {
      switch change.field {
      case .label(let key): if let text = change.value.text { labels[key] = text }
      case .annotation(let key): if let text = change.value.text { annotations[key] = text }
      case .cgroupParent: cgroupParent = change.value.text ?? cgroupParent
      case .resource, .hugepageLimit, .unified:
        resources.apply(change)
        hasResources = true
      case .env: break
      }
    }
    self.labels = labels
    self.annotations = annotations
    if hasResources { self.resources = resources }
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
