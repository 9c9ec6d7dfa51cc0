import Accounts
import CRIMessages
import CRIServer
import HookMessages
import RuntimeDispatcher
import Store
import SwiftProtobuf

/// RunPodSandbox; see ``HookedRequest``. Its bytes are never decoded: what is told, found and changed in them is what
/// swift-protobuf would make of them, and what is not changed stays byte for byte. Also: the Store gives back what it
/// was given.
package enum RunPodSandboxTarget: HookedRequest {
  package static let name = "run-pod-sandbox"

  static let known = KnownFields.runPodSandbox

  static func subject(of request: CRIRunPodSandboxRequest) throws -> EncodedPod {
    try RunPodSandboxRequest(message: request.serializedBytes()).pod
  }

  static func apply(_ changes: [Change], to request: inout CRIRunPodSandboxRequest) throws {
    try request.apply(changes)
  }

  static func checkRefused(_ bytes: [UInt8]) throws {
    try expect((try? RunPodSandboxRequest(message: bytes)) == nil, "swift-protobuf would not decode it")
  }

  static func checkMore(
    _ request: CRIRunPodSandboxRequest, _ bytes: [UInt8], answer: [UInt8], changes: [Change]
  ) throws {
    var encoded = try RunPodSandboxRequest(message: bytes)
    let pod = encoded.pod
    let decoded = PodSandboxHookRequest(request)
    try expect(PodSandboxHookRequest(serializedBytes: pod.message) == decoded, "told otherwise than decoded")
    try expect(
      CRIRunPodSandboxRequest(serializedBytes: encoded.message) == request, "what is sent on is not what came in")
    let meta = decoded.podMeta
    try expect(
      pod.podIdentity == PodIdentity(namespace: meta.namespace, name: meta.name, uid: meta.uid), "another pod")
    try checkStore(pod, decoded)
    try checkBytes(bytes, changes)

    guard isComparable(bytes), isComparable(answer) else { return }
    if let opinion = try? PodSandboxHookResponse(serializedBytes: answer) {
      var wanted = decoded
      wanted.make(try pod.differences(toAnswer: answer))
      var expected = decoded
      expected.merge(opinion)
      try expect(wanted.isAsWanted(expected), "the answer makes \(wanted) instead of \(expected)")
    } else {
      try expect((try? pod.differences(toAnswer: answer)) == nil, "swift-protobuf would not decode the answer")
    }
    guard changes.allSatisfy({ isComparable(Array("\($0)".utf8)) }) else { return }
    var changed = decoded
    changed.make(changes)
    var told = pod
    told.apply(changes)
    try expect(PodSandboxHookRequest(serializedBytes: told.message).isAsWanted(changed), "told otherwise than changed")
    encoded.apply(changes)
    try expect(
      PodSandboxHookRequest(serializedBytes: encoded.pod.message).isAsWanted(changed), "sent otherwise than changed")
  }

  /// No change in gives the same bytes out, and changes leave all other bytes where they are.
  private static func checkBytes(_ bytes: [UInt8], _ changes: [Change]) throws {
    var request = try RunPodSandboxRequest(message: bytes)
    let before = request.message
    // What is to be merged is encoded anew, and so are bytes that cannot be read without a schema, maybe.
    if (try? known.hasNothingTwice(in: bytes)) == true { try expect(before == bytes, "\(bytes) became \(before)") }
    request.apply([])
    try expect(request.message == before, "no change changes the bytes")
    request.apply(changes)
    guard let isKept = try? known.isKeptInPlace(before, request.message) else { return }
    try expect(isKept, "\(changes) made \(request.message) of \(before)")
  }

  private static func checkStore(_ pod: EncodedPod, _ decoded: PodSandboxHookRequest) throws {
    let changes = PodSandboxHookResponse.with { $0.annotations = decoded.annotations }
    let store = Store()
    store.insertPod(encoded: pod.message, changes: try changes.serializedBytes(), id: "p")
    try expect(
      store.pod("p") == PodRecord(decoded, changes: changes), "the Store does not give back the pod that it was given")
  }
}

extension PodSandboxHookRequest {
  /// Lays a plugin's opinions over what it was sent.
  fileprivate mutating func merge(_ answer: PodSandboxHookResponse) {
    let changes =
      answer.labels.map { Change(.label(key: $0), .text($1)) }
      + answer.annotations.map { Change(.annotation(key: $0), .text($1)) }
      + answer.resources.unified.map { Change(.unified(key: $0), .text($1)) }
      + answer.resources.hugepageLimits.filter { !$0.pageSize.isEmpty }
      .map { Change(.hugepageLimit(pageSize: $0.pageSize), .limit($0.limit)) }
    make(changes)
    let repeatsAll =
      answer.hasResources && !cgroupParent.isEmpty && answer.cgroupParent == cgroupParent
      && ResourceField.allCases.allSatisfy { field in
        field.isCpuset || resources[field] == nil || answer.resources[field] != nil
      }
    for field in ResourceField.allCases {
      if let value = answer.resources[field] { make([Change(.resource(field), value)]) }
      if field.isCpuset, repeatsAll, answer.resources[field] == nil { make([Change(.resource(field), .cleared)]) }
    }
    if !answer.cgroupParent.isEmpty { cgroupParent = answer.cgroupParent }
  }

  /// Equal, as far as a plugin can tell: resources that say nothing may be there or not, and of several limits for a
  /// page size the last is in force.
  fileprivate func isAsWanted(_ other: PodSandboxHookRequest) -> Bool {
    func plain(_ pod: PodSandboxHookRequest) -> PodSandboxHookRequest {
      var pod = pod
      var limits: [HugepageLimit] = []
      for limit in pod.resources.hugepageLimits {
        limits.removeAll { $0.pageSize == limit.pageSize }
        limits.append(limit)
      }
      pod.resources.hugepageLimits = limits.sorted { $0.pageSize < $1.pageSize }
      return pod
    }
    return plain(self) == plain(other)
  }
}
