package import Accounts
package import SwiftProtobuf
package import WireFields

/// What a plugin is sent: a pod sandbox or a container as it stands, and how the plugin's answer to it is read.
///
/// A hook point that takes one of the conforming types needs no code of its own.
package protocol HookRequest: Sendable {
  /// What the plugin answers with.
  associatedtype Answer: SwiftProtobuf.Message

  static var answerShape: WireShape { get }
  static var answerPlaces: FieldPlaces { get }

  /// The pod as people know it; its texts are empty if the request does not have them.
  var podIdentity: PodIdentity { get }

  /// The pod's label with this key, nil if there is none.
  func podLabel(_ key: String) -> String?

  /// The pod's annotation with this key, nil if there is none.
  func podAnnotation(_ key: String) -> String?

  /// What the request says about each of `fields`; nil for empty, zero, absent, or a field that it does not have.
  func values(of fields: [Field]) -> [FieldValue?]

  /// Makes the changes; nothing where the request does not have the field.
  mutating func apply(_ changes: [Change])

  /// The request as it travels.
  func bytes() throws(HookFailure.Cause) -> [UInt8]
}

extension HookRequest {
  /// What the request says about `field`.
  package func value(of field: Field) -> FieldValue? { values(of: [field])[0] }

  /// Makes one change.
  package mutating func apply(_ change: Change) { apply([change]) }

  /// What a plugin that was sent this request wants changed (design, "What an answer means"): opinions that
  /// differ from the request, and the cpusets that a whole-state answer empties. Nothing is said here about
  /// whether the plugin may.
  ///
  /// - Parameter answer: The message that the plugin answered with.
  /// - Throws: `undecodable` if it is none; that is the plugin's failure.
  package func differences(toAnswer answer: [UInt8]) throws(HookFailure.Cause) -> [Change] {
    let message: [UInt8]
    do { message = try Self.answerShape.plain(answer, as: Answer.self) } catch { throw .undecodable }
    let opinions = Self.answerPlaces.opinions(in: message)
    guard !opinions.changes.isEmpty || opinions.hasResources else { return [] }
    let sent = values(of: opinions.changes.map(\.field))
    let changes = zip(opinions.changes, sent).filter { $0.value != $1 }.map(\.0)
    return changes + clearedCpusets(by: opinions)
  }

  /// The cpusets that were sent and are empty in the answer, if that means something: in an answer that repeats so much
  /// of what was sent that its plugin can be taken to repeat everything.
  private func clearedCpusets(by opinions: Opinions) -> [Change] {
    guard opinions.hasResources, let parent = value(of: .cgroupParent),
      opinions.changes.contains(Change(.cgroupParent, parent))
    else { return [] }
    let answered = Set(opinions.changes.map(\.field).filter(\.isResource))
    let missing = ResourceField.allCases.filter { field in
      !answered.contains(.resource(field)) && value(of: .resource(field)) != nil
    }
    guard missing.allSatisfy({ !$0.isNumber }) else { return [] }
    return missing.map { Change(.resource($0), .cleared) }
  }
}

extension Change {
  /// Whether a request that has `present` in the field already is as this change wants it.
  func isSatisfied(by present: FieldValue?) -> Bool { value == .cleared ? present == nil : present == value }
}
