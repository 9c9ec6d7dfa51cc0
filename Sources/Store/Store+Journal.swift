internal import Synchronization

// How another process comes to know what this Store knows: all records at one moment, and from that moment on every
// change that a call reports. What is read from the runtime is in neither: whoever misses it reads it there.

extension Store {
  /// Begins to keep what calls report.
  ///
  /// - Parameter wake: Called after each change, on any thread: there is something in ``takeJournal()``. It must not look
  ///   at the Store itself.
  /// - Returns: Every record, as it is before the first change that is kept.
  package func beginJournal(_ wake: @escaping @Sendable () -> Void) -> [StoreRecord] {
    whenJournalled(wake)
    return withState { state in
      state.journal = []
      return state.entries.map { id, entry in
        StoreRecord(
          id: id, podSandboxID: entry.podSandboxID, body: entry.body, changes: entry.changes, isStale: entry.isStale)
      }
    }
  }

  /// The changes since the last time, oldest first; those that still wait to be reported included.
  package func takeJournal() -> [StoreChange] {
    withState { state in
      defer { if state.journal != nil { state.journal = [] } }
      return state.journal ?? []
    }
  }

  /// Keeps no more changes.
  package func endJournal() {
    withState { $0.journal = nil }
    whenJournalled(nil)
  }

  /// Takes over a record of another Store.
  package func load(_ record: StoreRecord) {
    withState { state in
      state.insert(record.id, podSandboxID: record.podSandboxID, body: record.body, changes: record.changes)
      if record.isStale { state.markStale(record.id) }
    }
  }

  /// Takes over what a call has told another Store.
  package func apply(_ change: StoreChange) {
    switch change {
    case .inserted(let record):
      note { state in
        state.insert(record.id, podSandboxID: record.podSandboxID, body: record.body, changes: record.changes)
        return change
      }
    case .updatedPod(let id, let overhead, let resources): updatePod(id, overhead: overhead, resources: resources)
    case .updatedContainer(let id, let resources, let annotations):
      updateContainer(id, resources: resources, annotations: annotations)
    case .stale(let id): markStale(id)
    case .removed(let id): remove(id)
    }
  }

  /// Whoever knew more is gone: every record is read anew before its next use.
  package func markAllStale() {
    withState { state in state.entries.keys.forEach { state.markStale($0) } }
  }
}
