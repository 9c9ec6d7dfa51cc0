internal import HookMessages
internal import SwiftProtobuf

// An entry holds what this module serialized itself, so decoding does not fail; and a message that came in over a
// socket is far below the 2 GiB at which encoding does. Both are optional all the same: a record that cannot be read
// is a record that is not there, and is asked for.

extension PodRecord {
  init?(_ entry: StoreEntry) {
    guard let request = try? PodSandboxHookRequest(serializedBytes: entry.body) else { return nil }
    let changes = entry.changes.flatMap { try? PodSandboxHookResponse(serializedBytes: $0) }
    self.init(request, changes: changes, isStale: entry.isStale)
  }
}

extension ContainerRecord {
  init?(_ entry: StoreEntry) {
    guard let request = try? ContainerResourceHookRequest(serializedBytes: entry.body) else { return nil }
    self.init(podSandboxID: entry.podSandboxID, request, isStale: entry.isStale)
  }
}

extension Message {
  /// The message as it is kept in an entry.
  var bytes: [UInt8]? { try? serializedBytes() }
}
