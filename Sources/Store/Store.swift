package import HookMessages
internal import Synchronization

/// What RuntimeManager remembers of pod sandboxes and containers, in memory: everything a hook request needs.
///
/// A record is inserted when the runtime has created its object and removed when the runtime has removed it (not when
/// it is stopped). Readers get copies; messages are encoded and decoded outside the lock, which is held for a
/// dictionary access only. What is read from the runtime comes in through a ``ReadingToken``.
package final class Store: Sendable {
  /// What there is, whoever looks.
  private final class Records: Sendable {
    let state = Mutex(StoreState())
    let whenJournalled = Mutex<(@Sendable () -> Void)?>(nil)
    let whenRemoved: @Sendable (RecordID) -> Void

    init(whenRemoved: @escaping @Sendable (RecordID) -> Void) { self.whenRemoved = whenRemoved }
  }

  /// Reports that wait, and the Store that they are made on: the same records, without reports of its own.
  private final class Reports: Sendable {
    struct Waiting {
      var reports: [@Sendable (Store) -> Void] = []
      var mayRecordChanges = false
    }

    let waiting = Mutex(Waiting())
    let store: Store

    init(_ records: Records) { store = Store(records, nil) }
  }

  private let records: Records
  private let reports: Reports?

  /// - Parameter whenRemoved: told of each record that goes, whatever the reason; it must not look at the Store.
  package convenience init(whenRemoved: @escaping @Sendable (RecordID) -> Void = { _ in }) {
    let records = Records(whenRemoved: whenRemoved)
    self.init(records, Reports(records))
  }

  private init(_ records: Records, _ reports: Reports?) {
    self.records = records
    self.reports = reports
  }

  // MARK: Reports that wait

  /// Takes a report that need not be made at once: decoding what is to be remembered takes longer than relaying a
  /// call. It is made, in the order of the reports, before anybody reads or changes the Store, or by ``catchUp()``.
  ///
  /// - Parameters:
  ///   - mayRecordChanges: It may be of a pod that plugins have changed: ``hasRecordedChanges`` then waits for it, and
  ///     for no other.
  ///   - report: Called on any thread, with what is to be told instead of this Store, which waits for it.
  /// - Returns: How many wait now.
  package func later(mayRecordChanges: Bool = false, _ report: @escaping @Sendable (Store) -> Void) -> Int {
    guard let reports else {
      report(self)
      return 0
    }
    return reports.waiting.withLock { waiting in
      waiting.reports.append(report)
      if mayRecordChanges { waiting.mayRecordChanges = true }
      return waiting.reports.count
    }
  }

  /// Makes the reports that wait. Whoever comes meanwhile, on another thread, goes on when they are made: a report
  /// taken out and not made yet would be missing from what is read.
  package func catchUp() {
    guard let reports else { return }
    reports.waiting.withLock { waiting in
      for report in waiting.reports { report(reports.store) }
      waiting = Reports.Waiting()
    }
  }

  func withState<Outcome: Sendable>(_ body: (inout StoreState) -> Outcome) -> Outcome {
    catchUp()
    return records.state.withLock { body(&$0) }
  }

  /// Sets who is told of each change that the journal keeps.
  func whenJournalled(_ wake: (@Sendable () -> Void)?) { records.whenJournalled.withLock { $0 = wake } }

  /// Makes a change that a call reports, and keeps it in the journal if there is one.
  ///
  /// - Parameter body: Gives what to keep; nil if nothing has changed.
  func note(_ body: (inout StoreState) -> StoreChange?) {
    let isKept = withState { state in
      guard let change = body(&state) else { return false }
      return state.keep(change)
    }
    if isKept { records.whenJournalled.withLock { $0 }?() }
  }

  // MARK: Look-up

  package func pod(_ id: String) -> PodRecord? {
    withState { $0.entries[.pod(id)] }.flatMap(PodRecord.init)
  }

  package func container(_ id: String) -> ContainerRecord? {
    withState { $0.entries[.container(id)] }.flatMap(ContainerRecord.init)
  }

  /// The complete hook request about a container, its pod's fields included; nil unless both are known.
  package func hookRequest(ofContainer id: String) -> ContainerResourceHookRequest? {
    let (containerEntry, podEntry) = withState { state in
      let entry = state.entries[.container(id)]
      return (entry, entry.flatMap { state.entries[.pod($0.podSandboxID)] })
    }
    guard let container = containerEntry.flatMap(ContainerRecord.init), let pod = podEntry.flatMap(PodRecord.init)
    else { return nil }
    return container.request.filled(from: pod.request)
  }

  /// Plugins have changed some pod when it was run: its containers need these changes again. Asked about every
  /// CreateContainer, and so the one look for which reports wait on that cannot matter; it may still say true for a pod
  /// whose removal waits.
  package var hasRecordedChanges: Bool {
    if reports?.waiting.withLock({ $0.mayRecordChanges }) == true { catchUp() }
    return records.state.withLock { $0.hasRecordedChanges }
  }

  /// The ids of all pod sandboxes, in no particular order.
  package var podIDs: [String] {
    withState { $0.entries.keys.compactMap { if case .pod(let id) = $0 { id } else { nil } } }
  }

  /// The ids of all containers, in no particular order.
  package var containerIDs: [String] {
    withState { $0.entries.keys.compactMap { if case .container(let id) = $0 { id } else { nil } } }
  }

  /// Whether there is a record of a pod sandbox or container with this id.
  package func has(_ objectID: String) -> Bool {
    withState { $0.entries[.pod(objectID)] != nil || $0.entries[.container(objectID)] != nil }
  }

  /// What it holds now.
  package var size: StoreSize { withState { $0.size } }

  /// Traces kept for readings under way.
  var traceCount: Int { withState { $0.traceCount } }

  // MARK: What calls report

  /// The runtime has run a pod sandbox.
  package func insertPod(_ record: PodRecord, id: String) {
    guard let body = record.request.bytes else { return }
    apply(
      .inserted(
        StoreRecord(
          id: .pod(id), podSandboxID: id, body: body, changes: record.changes?.bytes, isStale: false)))
  }

  /// The runtime has run a pod sandbox.
  /// - Parameters:
  ///   - request: The hook request about it, encoded.
  ///   - changes: What plugins made of it, an encoded `PodSandboxHookResponse`.
  package func insertPod(encoded request: [UInt8], changes: [UInt8], id: String) {
    // Whoever put it together may have left room in it, which is not kept for as long as the pod lives.
    let body = Array(request[...])
    apply(
      .inserted(StoreRecord(id: .pod(id), podSandboxID: id, body: body, changes: changes, isStale: false)))
  }

  /// The runtime has created a container, whose id is in `container_meta`.
  package func insertContainer(_ record: ContainerRecord) {
    guard let body = record.request.bytes else { return }
    apply(
      .inserted(
        StoreRecord(
          id: .container(record.id), podSandboxID: record.podSandboxID, body: body, changes: nil, isStale: false)))
  }

  /// The runtime has changed the resources of a pod: what is set overlays what is remembered.
  package func updatePod(
    _ id: String, overhead: LinuxContainerResources = .init(), resources: LinuxContainerResources = .init()
  ) {
    update(.pod(id), .updatedPod(id, overhead: overhead, resources: resources)) { entry in
      guard var request = PodRecord(entry)?.request else { return nil }
      if overhead != .init() { request.overhead.overlay(overhead) }
      if resources != .init() { request.resources.overlay(resources) }
      return request.bytes
    }
  }

  /// The runtime has changed a container: resources that are set overlay what is remembered, annotations by key.
  package func updateContainer(
    _ id: String, resources: LinuxContainerResources = .init(), annotations: [String: String] = [:]
  ) {
    update(.container(id), .updatedContainer(id, resources: resources, annotations: annotations)) { entry in
      guard var request = ContainerRecord(entry)?.request else { return nil }
      if resources != .init() { request.containerResources.overlay(resources) }
      request.containerAnnotations.merge(annotations) { _, new in new }
      return request.bytes
    }
  }

  /// A call about `id` ended in an unknown way: the record is read anew before its next use.
  package func markStale(_ id: RecordID) {
    note { state in
      state.markStale(id)
      return .stale(id)
    }
  }

  /// The runtime has removed `id`, or does not know it. A pod takes its containers along.
  package func remove(_ id: RecordID) {
    var removed: [RecordID] = []
    note { state in
      removed = state.remove(id)
      return .removed(id)
    }
    removed.forEach(records.whenRemoved)
  }

  /// Rewrites a record outside the lock, again if somebody else wrote it meanwhile.
  private func update(_ id: RecordID, _ change: StoreChange, _ rewrite: (StoreEntry) -> [UInt8]?) {
    var isNoted = false
    while true {
      // Not there: an answer that is on its way was given before this update, and must come in as stale.
      let (id, found) = withState { state in
        let id = state.meant(by: id)
        if state.entries[id] == nil { state.markStale(id) }
        return (id, state.entries[id])
      }
      guard let found, let body = rewrite(found) else { return note { _ in change } }
      note { state in
        isNoted = state.replaceBody(of: id, with: body, ifWrittenAt: found.written)
        return isNoted ? change : nil
      }
      if isNoted { return }
    }
  }

  // MARK: What readings report

  /// Begins to read the runtime, before it is asked. Every reading is ended, however it went.
  package func beginReading() -> ReadingToken {
    withState { $0.begin() }
  }

  /// What the runtime answered about a pod: added if missing, taken over if the record is stale, otherwise dropped.
  package func rememberPod(_ record: PodRecord, id: String, from token: ReadingToken) {
    guard let body = record.request.bytes else { return }
    let changes = record.changes?.bytes
    withState { $0.remember(.pod(id), podSandboxID: id, body: body, changes: changes, from: token) }
  }

  /// What the runtime answered about a container: added if missing, taken over if the record is stale, otherwise
  /// dropped.
  package func rememberContainer(_ record: ContainerRecord, from token: ReadingToken) {
    guard let body = record.request.bytes else { return }
    withState {
      $0.remember(
        .container(record.id), podSandboxID: record.podSandboxID, body: body, changes: nil, from: token)
    }
  }

  /// Removes what existed before the reading began and is not among what the runtime lists.
  /// - Returns: how many records went.
  package func removeUnlisted(_ listed: Set<RecordID>, from token: ReadingToken) -> Int {
    let removed = withState { $0.removeUnlisted(listed, from: token) }
    removed.forEach(records.whenRemoved)
    return removed.count
  }

  /// Of `ids`, those that a rebuild has to read: missing or stale.
  package func needingReading(_ ids: [RecordID]) -> [RecordID] {
    withState { state in ids.filter { state.entries[$0]?.isStale ?? true } }
  }

  package func endReading(_ token: ReadingToken) {
    withState { $0.end(token) }
  }
}
