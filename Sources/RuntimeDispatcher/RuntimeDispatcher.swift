internal import Accounts
internal import HookMessages
package import Logging
package import PluginsManager
internal import ServiceLifecycle
internal import Synchronization

/// Asks plugins about CRI calls, and decides what their answers and failures mean for the call.
///
/// For each hooked call, make a ``HookedCall`` from what kubelet sent, then use ``pre(_:_:call:deadline:)``
/// before the runtime is asked and ``postStart(_:call:deadline:)`` or
/// ``postStop(_:objectID:in:answerBy:company:subject:)`` after it. The dispatcher knows hook messages only; the caller
/// turns the returned changes into CRI fields. It logs every failure of a plugin once; what it throws need not
/// be logged again. It holds no lock while a plugin is asked, so a slow plugin delays its own pod only.
///
/// ``run()`` must be running while Post hooks are used, and should end after whoever uses them.
package final class RuntimeDispatcher: Service, Sendable {
  package let rules: HookRules
  /// Of the deadlines that it is given, too: whoever sets them asks this clock.
  package let clock: SteadyClock
  let logger: Logger
  let caller: PluginCaller
  let ledger = Mutex(StopLedger())
  let counted = Mutex(DispatcherCounters())
  let jobs = PostJobs()
  let waiting = Mutex(Waiting())
  let registrationNow: @Sendable (Plugin) -> Plugin?
  private let executor: (any TaskExecutor)?

  /// - Parameters:
  ///   - executor: where Post hooks run; the event loop, if there is one. Pre hooks run on their caller's.
  ///   - registrationNow: what a plugin's file says now, nil if it is gone: owed calls follow it. As a rule nothing
  ///   has changed.
  package init(
    transport: any HookTransport, rules: HookRules, clock: any HookClock, logger: Logger,
    executor: (any TaskExecutor)? = nil, registrationNow: @escaping @Sendable (Plugin) -> Plugin? = { $0 }
  ) {
    self.rules = rules
    self.clock = SteadyClock(clock)
    self.logger = logger
    self.executor = executor
    self.registrationNow = registrationNow
    caller = PluginCaller(transport: transport, clock: self.clock)
  }

  /// The plugins that would be asked at `point` about a pod with these labels of kubelet's, in the order in
  /// which they are asked; none if the pod has the skip label.
  package func plugins(at point: HookPoint, in registry: Registry, podLabels: [String: String]) -> [Plugin] {
    rules.skips(podLabels: podLabels) ? [] : registry.plugins(at: point)
  }

  /// Begins a call.
  /// - Parameters:
  ///   - request: the subject as kubelet knows it, before any plugin's changes; nil if it is unknown, which
  ///     also means that the pod can be neither skipped nor exempt from Fail.
  ///   - registry: the plugins that this call sees until its end.
  ///   - hiddenEnvKeys: envs of the container that `request` lacks because their values are not UTF-8.
  ///   - company: what goes along with the call.
  package func call(
    about request: (some HookRequest)?, in registry: Registry, hiddenEnvKeys: Set<String> = [],
    company: CallCompany = CallCompany()
  ) -> HookedCall {
    let pod = request?.podIdentity
    if let pod { company.account?.note(pod: pod) }
    return HookedCall(
      registry: registry,
      pod: pod?.description,
      isSkipped: request.map(rules.skips) ?? false,
      isExemptFromFail: request.map { rules.exemptsFromFail($0, in: pod?.namespace ?? "") } ?? false,
      hiddenEnvKeys: hiddenEnvKeys,
      company: company)
  }

  /// Begins a call whose subject is unknown.
  package func callAboutUnknown(in registry: Registry, company: CallCompany = CallCompany()) -> HookedCall {
    call(about: EncodedPod?.none, in: registry, company: company)
  }

  /// An object has been removed. Its successful PostStop* calls are forgotten; what is owed stays owed.
  package func forget(objectID: String) {
    ledger.withLock { $0.forget(objectID: objectID) }
  }

  /// How a plugin stands with the dispatcher; takes a look at its socket's file, so not on the event loop.
  package func condition(of plugin: Plugin) -> PluginCondition { caller.condition(of: plugin) }

  /// Closes a plugin's breaker.
  /// - Returns: whether it was open.
  package func resetBreaker(of plugin: String) -> Bool { caller.reset(plugin) }

  /// What has been counted so far.
  package var counters: DispatcherCounters {
    var counters = counted.withLock { $0 }
    counters.owed = ledger.withLock { $0.owedCount }
    return counters
  }

  /// Owns the Post hooks until graceful shutdown or cancellation, which cancel those in flight; then logs and
  /// counts what is still owed. May be called once.
  package func run() async throws {
    await withTaskExecutorPreference(executor) { await jobs.run() }
    reportOwedAtExit()
  }

  func isExempt(_ request: some HookRequest) -> Bool {
    rules.exemptsFromFail(request, in: request.podIdentity.namespace)
  }
}
