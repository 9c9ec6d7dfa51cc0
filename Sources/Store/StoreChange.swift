package import HookMessages

/// What a call has told the Store, for another process whose Store is to know it too.
///
/// Updates say what was updated, not what came of it: the other Store may know more of the object than this one.
package enum StoreChange: Sendable, Hashable {
  case inserted(StoreRecord)
  case updatedPod(String, overhead: LinuxContainerResources, resources: LinuxContainerResources)
  case updatedContainer(String, resources: LinuxContainerResources, annotations: [String: String])
  case stale(RecordID)
  case removed(RecordID)
}
