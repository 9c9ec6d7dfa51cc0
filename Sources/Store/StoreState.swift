/// The Store's behaviour as a pure value: which records there are, and which answers of the runtime still count.
///
/// Every event has a sequence number. An answer that was read from the runtime counts only for what nothing
/// happened to since its reading began. While a reading is open, removals (and events about records that are not
/// there yet) leave a trace; without open readings nothing but the records is kept.
struct StoreState: Sendable {
  /// What happened, during an open reading, to a record that is not there.
  private struct Trace: Sendable {
    var removed: UInt64 = 0
    var touched: UInt64 = 0
  }

  private(set) var entries: [RecordID: StoreEntry] = [:]
  /// Of these, pods with recorded changes.
  private var changedPods = 0
  private var traces: [RecordID: Trace] = [:]
  private var openReadings: Set<ReadingToken> = []
  private var sequence: UInt64 = 0
  /// What calls have reported since the journal was begun or last taken; nil if none is kept.
  var journal: [StoreChange]?

  /// Traces kept for open readings; none are kept without one.
  var traceCount: Int { traces.count }

  /// Some pod has recorded changes, or may have.
  var hasRecordedChanges: Bool { changedPods > 0 }

  /// The only way in which entries come, go and get other recorded changes.
  @discardableResult
  private mutating func set(_ entry: StoreEntry?, for id: RecordID) -> StoreEntry? {
    let old = entries[id]
    entries[id] = entry
    changedPods += (entry?.hasChanges == true ? 1 : 0) - (old?.hasChanges == true ? 1 : 0)
    return old
  }

  var size: StoreSize {
    entries.reduce(into: StoreSize()) { size, entry in
      switch entry.key {
      case .pod: size.pods += 1
      case .container: size.containers += 1
      }
      size.bytes += entry.value.body.count + (entry.value.changes?.count ?? 0)
    }
  }

  /// Puts a change into the journal.
  /// - Returns: whether one is kept.
  mutating func keep(_ change: StoreChange) -> Bool {
    guard journal != nil else { return false }
    journal?.append(change)
    return true
  }

  private mutating func next() -> UInt64 {
    sequence += 1
    return sequence
  }

  /// The record that a call means. The runtime takes the beginning of an id for the whole, as long as only one object
  /// begins so (crictl shows and sends the first 13 characters).
  func meant(by id: RecordID) -> RecordID {
    guard entries[id] == nil, !id.objectID.isEmpty else { return id }
    var found = entries.keys.lazy.filter { $0.begins(with: id) }.makeIterator()
    guard let whole = found.next(), found.next() == nil else { return id }
    return whole
  }

  // MARK: What calls report

  /// The runtime has created `id`.
  mutating func insert(_ id: RecordID, podSandboxID: String, body: [UInt8], changes: [UInt8]?) {
    let now = next()
    let pod = RecordID.pod(podSandboxID)
    let entry = StoreEntry(
      podSandboxID: (id == pod ? pod : meant(by: pod)).objectID, body: body, changes: changes, isStale: false,
      inserted: now, written: now)
    set(entry, for: id)
  }

  /// Replaces the body of a record that has not been written since `written`.
  /// - Returns: whether it did; if not, the caller looks again.
  mutating func replaceBody(of id: RecordID, with body: [UInt8], ifWrittenAt written: UInt64) -> Bool {
    guard entries[id]?.written == written else { return false }
    let now = next()
    entries[id]?.body = body
    entries[id]?.written = now
    return true
  }

  /// Something happened to `id` that its record, if there is one, does not show.
  mutating func markStale(_ id: RecordID) {
    let id = meant(by: id)
    let now = next()
    guard entries[id] != nil else {
      // An answer that was given before this event must not come in as if it were fresh.
      if !openReadings.isEmpty { traces[id, default: Trace()].touched = now }
      return
    }
    entries[id]?.isStale = true
    entries[id]?.written = now
  }

  /// The runtime has removed `id`. A pod takes its containers along.
  /// - Returns: the records that went.
  @discardableResult
  mutating func remove(_ id: RecordID) -> [RecordID] {
    let id = meant(by: id)
    let now = next()
    var removed = set(nil, for: id) == nil ? [] : [id]
    if !openReadings.isEmpty { traces[id, default: Trace()].removed = now }
    guard case .pod(let podSandboxID) = id else { return removed }
    let orphans = entries.filter { $0.value.podSandboxID == podSandboxID }.keys
    for orphan in orphans { set(nil, for: orphan) }
    removed += orphans
    return removed
  }

  // MARK: What readings report

  /// A reading is about to ask the runtime. Every token is closed by `end(_:)`.
  mutating func begin() -> ReadingToken {
    let token = ReadingToken(began: next())
    openReadings.insert(token)
    return token
  }

  /// Takes in what the runtime answered about `id`, unless something is known that is newer.
  ///
  /// A missing record is added, unless it or its pod was removed since the reading began. A stale one is replaced,
  /// unless something happened to it since; it keeps its recorded changes if the answer has none. A fresh one stays.
  mutating func remember(
    _ id: RecordID, podSandboxID: String, body: [UInt8], changes: [UInt8]?, from token: ReadingToken
  ) {
    guard openReadings.contains(token), !wasRemoved(id, since: token),
      !wasRemoved(.pod(podSandboxID), since: token)
    else { return }
    guard var entry = entries[id] else {
      let isStale = (traces[id]?.touched ?? 0) > token.began
      insert(id, podSandboxID: podSandboxID, body: body, changes: changes)
      entries[id]?.isStale = isStale
      return
    }
    guard entry.isStale, entry.written < token.began else { return }
    entry.body = body
    entry.changes = changes ?? entry.changes
    entry.isStale = false
    entry.written = next()
    set(entry, for: id)
  }

  /// Removes the records that existed before the reading began and that the runtime does not list.
  /// - Returns: those that went, containers that went with their pod included.
  mutating func removeUnlisted(_ listed: Set<RecordID>, from token: ReadingToken) -> [RecordID] {
    let unlisted = entries.filter { $0.value.inserted < token.began && !listed.contains($0.key) }.keys
    return unlisted.flatMap { remove($0) }
  }

  /// A reading is over; what it alone needed to know is forgotten.
  mutating func end(_ token: ReadingToken) {
    openReadings.remove(token)
    guard let oldest = openReadings.map(\.began).min() else {
      traces = [:]
      return
    }
    traces = traces.filter { max($0.value.removed, $0.value.touched) > oldest }
  }

  private func wasRemoved(_ id: RecordID, since token: ReadingToken) -> Bool {
    (traces[id]?.removed ?? 0) > token.began
  }
}
