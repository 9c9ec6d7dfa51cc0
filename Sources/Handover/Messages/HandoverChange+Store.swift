internal import FoundationEssentials
internal import HandoverMessages
internal import HookMessages
internal import Store
internal import SwiftProtobuf

extension HandoverRecordID {
  init(_ id: RecordID) {
    self.init()
    self.id = id.objectID
    if case .pod = id { isPod = true }
  }

  var recordID: RecordID { isPod ? .pod(id) : .container(id) }
}

extension HandoverRecord {
  init(_ record: StoreRecord) {
    self.init()
    id = HandoverRecordID(record.id)
    podSandboxID = record.podSandboxID
    body = Data(record.body)
    if let changes = record.changes { self.changes = Data(changes) }
    isStale = record.isStale
  }

  var storeRecord: StoreRecord {
    StoreRecord(
      id: id.recordID, podSandboxID: podSandboxID, body: Array(body), changes: hasChanges ? Array(changes) : nil,
      isStale: isStale)
  }
}

extension HandoverChange {
  init(_ change: StoreChange) {
    self.init()
    switch change {
    case .inserted(let record): inserted = HandoverRecord(record)
    case .updatedPod(let id, let overhead, let resources):
      updated = .with {
        $0.id = HandoverRecordID(.pod(id))
        $0.overhead = Self.bytes(overhead)
        $0.resources = Self.bytes(resources)
      }
    case .updatedContainer(let id, let resources, let annotations):
      updated = .with {
        $0.id = HandoverRecordID(.container(id))
        $0.resources = Self.bytes(resources)
        $0.annotations = annotations
      }
    case .stale(let id): stale = HandoverRecordID(id)
    case .removed(let id): removed = HandoverRecordID(id)
    }
  }

  /// Nil if it says nothing that can be read.
  var storeChange: StoreChange? {
    switch what {
    case .inserted(let record): return .inserted(record.storeRecord)
    case .stale(let id): return .stale(id.recordID)
    case .removed(let id): return .removed(id.recordID)
    case .updated(let update):
      guard let resources = try? LinuxContainerResources(serializedBytes: update.resources),
        let overhead = try? LinuxContainerResources(serializedBytes: update.overhead)
      else { return nil }
      switch update.id.recordID {
      case .pod(let id): return .updatedPod(id, overhead: overhead, resources: resources)
      case .container(let id):
        return .updatedContainer(id, resources: resources, annotations: update.annotations)
      }
    case nil: return nil
    }
  }

  /// What came in over a socket, or is made of it, is far below the size at which encoding fails.
  private static func bytes(_ resources: LinuxContainerResources) -> Data {
    (try? resources.serializedData()) ?? Data()
  }
}
