internal import Accounts
package import HookMessages
package import SwiftProtobuf

/// What a plugin is sent: a pod sandbox or a container as it stands, and how the plugin's answer to it is read.
///
/// Two messages conform; a hook point that takes one of them needs no code of its own.
package protocol HookRequest: SwiftProtobuf.Message, Sendable {
  /// What the plugin answers with.
  associatedtype Answer: SwiftProtobuf.Message & Sendable

  var podMeta: PodSandboxMetadata { get }
  var podLabels: [String: String] { get }
  var podAnnotations: [String: String] { get }

  /// What the request says about `field`; nil for empty, zero, absent, or a field that it does not have.
  func value(of field: Field) -> FieldValue?

  /// Makes the changes; nothing where the request does not have the field.
  mutating func apply(_ changes: [Change])

  /// Everything that `answer` has an opinion on, in a fixed order, equal to what was sent or not.
  static func opinions(in answer: Answer) -> [Change]

  /// The resources of `answer`, nil if it has none.
  static func resources(in answer: Answer) -> LinuxContainerResources?
}

extension HookRequest {
  /// Makes one change.
  package mutating func apply(_ change: Change) { apply([change]) }

  /// What a plugin that was sent this request wants changed (design, "What an answer means"): opinions that
  /// differ from the request, and the cpusets that a whole-state answer empties. Nothing is said here about
  /// whether the plugin may.
  package func differences(to answer: Answer) -> [Change] {
    let opinions = Self.opinions(in: answer)
    var changes = opinions.filter { value(of: $0.field) != $0.value }
    guard let resources = Self.resources(in: answer), isWholeState(opinions, resources) else { return changes }
    for field in ResourceField.allCases
    where !field.isNumber && value(of: .resource(field)) != nil && resources[field] == nil {
      changes.append(Change(.resource(field), .cleared))
    }
    return changes
  }

  /// Whether an answer repeats so much of what was sent that its plugin can be taken to repeat everything, so
  /// that an empty cpuset in it means something.
  private func isWholeState(_ opinions: [Change], _ resources: LinuxContainerResources) -> Bool {
    guard let parent = value(of: .cgroupParent), opinions.contains(Change(.cgroupParent, parent)) else {
      return false
    }
    return ResourceField.allCases.allSatisfy { field in
      !field.isNumber || value(of: .resource(field)) == nil || resources[field] != nil
    }
  }

  /// Whether the request already is as `change` wants it.
  func satisfies(_ change: Change) -> Bool {
    change.value == .cleared ? value(of: change.field) == nil : value(of: change.field) == change.value
  }

  /// The pod, for accounts.
  var podIdentity: PodIdentity {
    let meta = podMeta
    return PodIdentity(namespace: meta.namespace, name: meta.name, uid: meta.uid)
  }

  /// The pod as people know it, for log lines: namespace and name.
  var podName: String { "\(podMeta.namespace)/\(podMeta.name)" }
}
