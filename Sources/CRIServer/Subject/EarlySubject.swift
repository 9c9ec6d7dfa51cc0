internal import RuntimeDispatcher
internal import Synchronization

/// Whom a Post hook is about, looked up beside the forwarded stop: the first look-up begins at once and never
/// delays the stop; each further one (an owed call whose subject is still unknown) asks anew.
final class EarlySubject<Request: HookRequest>: Sendable {
  private let lookUp: @Sendable () async -> Subject<Request>
  private let first: Mutex<Task<Subject<Request>, Never>?>

  /// - Parameters:
  ///   - executor: Where the look-up runs: the event loop's.
  ///   - lookUp: Has a deadline of its own.
  init(on executor: any TaskExecutor, lookUp: @escaping @Sendable () async -> Subject<Request>) {
    self.lookUp = lookUp
    first = Mutex(Task(executorPreference: executor) { await lookUp() })
  }

  /// The early look-up's result the first time, later a new one.
  func next() async -> Subject<Request> {
    guard let early = first.withLock({ $0.take() }) else { return await lookUp() }
    return await early.value
  }

  /// Nobody will ask.
  func cancel() { first.withLock { $0.take() }?.cancel() }
}
