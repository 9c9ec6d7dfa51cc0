internal import GRPC
package import Logging
package import RuntimeDispatcher
package import Store

/// Finds out whom a call is about, from the id that it carries.
///
/// What the Store knows is taken as it is. What it misses, or knows to be stale, is asked of the runtime and
/// remembered. If the runtime cannot tell, a stale record is better than none and is used with a warning.
package struct SubjectLookup: Sendable {
  /// How long a look-up may take in all, if its caller has no less left.
  package static let timeout = Duration.seconds(2)

  private let store: Store
  private let reader: RuntimeReader
  private let logger: Logger

  package init(
    store: Store, runtime: any RuntimeQueries, logger: Logger, clock: SteadyClock = SteadyClock(SystemHookClock())
  ) {
    self.store = store
    self.reader = RuntimeReader(store: store, runtime: runtime, clock: clock)
    self.logger = logger
  }

  /// Looks up a pod sandbox by its id.
  package func pod(_ id: String, timeout: Duration = Self.timeout) async -> LookedUp<PodRecord> {
    await pod(id, deadline: reader.clock.now + timeout)
  }

  /// Looks up a container by its id, and its pod.
  package func container(_ id: String, timeout: Duration = Self.timeout) async -> LookedUp<ContainerSubject> {
    let deadline = reader.clock.now + timeout
    let remembered = store.container(id)
    let found = await refreshed(remembered, isStale: remembered?.isStale ?? true, what: "container \(id)") {
      () async throws(Status) in
      try await reader.readContainer(id, podSandboxID: remembered?.podSandboxID, deadline: deadline)
    }
    let container: ContainerRecord
    switch found {
    case .known(let record): container = record
    case .gone: return .gone
    case .unknown(let reason): return .unknown(reason)
    }
    switch await pod(container.podSandboxID, deadline: deadline) {
    case .known(let pod): return .known(ContainerSubject(container: container, pod: pod))
    case .gone: return .gone
    case .unknown(let reason): return .unknown(reason)
    }
  }

  private func pod(_ id: String, deadline: ContinuousClock.Instant) async -> LookedUp<PodRecord> {
    let remembered = store.pod(id)
    return await refreshed(remembered, isStale: remembered?.isStale ?? true, what: "pod sandbox \(id)") {
      () async throws(Status) in
      try await reader.readPod(id, deadline: deadline)
    }
  }

  /// What is remembered if it is fresh, else what `read` finds, else what is remembered after all.
  private func refreshed<Record: Sendable>(
    _ remembered: Record?, isStale: Bool, what: String, _ read: () async throws(Status) -> Record?
  ) async -> LookedUp<Record> {
    if let remembered, !isStale { return .known(remembered) }
    do throws(Status) {
      return try await read().map(LookedUp.known) ?? .gone
    } catch {
      if error.code == .notFound { return .gone }
      let cause = "status of \(what): \(error.code): \(error.message)"
      guard let remembered else { return .unknown(cause) }
      logger.warning("\(cause); its stale record is used")
      return .known(remembered)
    }
  }
}
