package import GRPC
package import Logging
package import RuntimeDispatcher
package import Store

/// Brings the Store in line with the runtime: at start, and whenever the runtime was lost and is back.
///
/// Missing and stale records are read, four statuses at a time; records that existed before the lists were asked and
/// are not in them are removed; fresh ones stay as they are. Calls go on meanwhile: what they tell the Store counts
/// more, and what is not there yet is looked up when it is needed. Does not run on an event loop.
package struct StoreRebuild: Sendable {
  /// What a rebuild did, in numbers of records.
  package struct Counts: Sendable, Hashable {
    package var read = 0
    /// Objects that were removed between the list and their status.
    package var gone = 0
    /// Objects whose status could not be had; they are looked up when they are needed.
    package var failed = 0
    /// Records that the runtime does not list.
    package var removed = 0
  }

  private enum Outcome { case read, gone, failed }

  private let store: Store
  private let reader: RuntimeReader
  private let logger: Logger

  /// How long a list may take, and a status.
  package static let timeout = Duration.seconds(30)
  private static let statusesInFlight = 4

  package init(
    store: Store, runtime: any RuntimeQueries, logger: Logger, clock: SteadyClock = SteadyClock(SystemHookClock())
  ) {
    self.store = store
    self.reader = RuntimeReader(store: store, runtime: runtime, clock: clock)
    self.logger = logger
  }

  /// Runs one rebuild.
  /// - Throws: the status of a list that could not be had; nothing has changed then.
  @discardableResult
  package func run() async throws(Status) -> Counts {
    let start = reader.clock.now
    let token = store.beginReading()
    defer { store.endReading(token) }
    let pods = try await reader.runtime.listPodSandboxes(timeout: Self.timeout)
    let containers = try await reader.runtime.listContainers(timeout: Self.timeout)
    let listed = pods.map { RecordID.pod($0) } + containers.map { RecordID.container($0.id) }

    var counts = Counts()
    counts.removed = store.removeUnlisted(Set(listed), from: token)
    // Pods first, so that no container has to ask for its own.
    let podOfContainer = Dictionary(containers.map { ($0.id, $0.podSandboxID) }) { first, _ in first }
    let wanted = store.needingReading(listed)
    await read(wanted.filter { if case .pod = $0 { true } else { false } }, of: podOfContainer, into: &counts)
    await read(wanted.filter { if case .container = $0 { true } else { false } }, of: podOfContainer, into: &counts)

    logger.info(
      """
      store rebuilt from the runtime in \(reader.clock.now - start): \(pods.count) pod sandboxes and \
      \(containers.count) containers listed, \(counts.read) read, \(counts.removed) removed, \(counts.gone) gone \
      meanwhile, \(counts.failed) failed
      """)
    return counts
  }

  private func read(_ ids: [RecordID], of podOfContainer: [String: String], into counts: inout Counts) async {
    await withTaskGroup(of: Outcome.self) { group in
      var rest = ids[...]
      func addNext() {
        guard !Task.isCancelled, let id = rest.popFirst() else { return }
        group.addTask { await read(id, of: podOfContainer) }
      }
      for _ in 0..<Self.statusesInFlight { addNext() }
      for await outcome in group {
        switch outcome {
        case .read: counts.read += 1
        case .gone: counts.gone += 1
        case .failed: counts.failed += 1
        }
        addNext()
      }
    }
  }

  private func read(_ id: RecordID, of podOfContainer: [String: String]) async -> Outcome {
    let deadline = reader.clock.now + Self.timeout
    do throws(Status) {
      switch id {
      case .pod(let id):
        return try await reader.readPod(id, deadline: deadline) == nil ? .gone : .read
      case .container(let id):
        let pod = podOfContainer[id]
        return try await reader.readContainer(id, podSandboxID: pod, deadline: deadline) == nil ? .gone : .read
      }
    } catch {
      if error.code == .notFound { return .gone }
      logger.debug("store rebuild: \(id) could not be read: \(error.code): \(error.message)")
      return .failed
    }
  }
}
