internal import HookMessages
package import PluginsManager
internal import Synchronization

// Leaving the ledger to a process that takes over, and taking it over.

extension RuntimeDispatcher {
  // MARK: The process that goes

  /// Offers everything that is known of PostStop* calls. From now on `successor` is asked before a plugin is told of a
  /// stop, and no call that waits is made, until ``handedOver()`` or ``takenBack()``.
  package func handOver(to successor: any StopSuccessor) -> StopEstate {
    var estate = StopEstate()
    let offered = waiting.withLock { $0.offer(to: successor) }
    (estate.succeeded, estate.inProgress) = ledger.withLock { ledger in
      (ledger.succeeded(), ledger.open().filter { offered[$0] == nil }.map(\.call))
    }
    estate.owed = Array(offered.values)
    estate.breakers = caller.breakerStates()
    return estate
  }

  /// The other process serves: the calls that wait are its own.
  package func handedOver() {
    let moved = waiting.withLock { $0.handedOver() }
    ledger.withLock { ledger in moved.forEach { ledger.end($0) } }
  }

  /// The other process is gone; this one goes on with its own ledger.
  package func takenBack() { waiting.withLock { $0.takenBack() } }

  /// Returns when no PostStop* call is in progress. Owed calls that wait are not in progress.
  package func untilQuiet() async {
    await withCheckedContinuation { continuation in
      if waiting.withLock({ $0.isQuiet(orElse: continuation) }) { continuation.resume() }
    }
  }

  // MARK: The process that comes

  /// Takes over a call that has succeeded.
  package func inherit(succeeded call: StopCall) {
    ledger.withLock { ledger in
      if let claim = ledger.claim(call.plugin, call.hookPoint, objectID: call.objectID) { ledger.succeed(claim) }
    }
  }

  /// Takes over the breakers of the plugins that are registered here as well, and still have the same socket.
  package func inherit(_ breakers: [BreakerState], in registry: Registry) {
    for breaker in breakers {
      if let plugin = registry.plugin(named: breaker.plugin) { caller.inherit(breaker, of: plugin) }
    }
  }

  /// Begins a call that another process makes.
  /// - Returns: false if it has succeeded, is in progress or is owed.
  package func claim(_ call: StopCall) -> Bool {
    ledger.withLock { $0.claim(call.plugin, call.hookPoint, objectID: call.objectID) } != nil
  }

  /// A call that another process makes has ended there. One that it owes from now on is repeated here.
  /// - Parameter lookUp: finds out about the object, should that still be unknown.
  package func ended(_ call: StopCall, _ end: StopEnd, lookUp: OwedLookUp) {
    switch end {
    case .succeeded: ledger.withLock { ledger in ledger.claim(of: call).map { ledger.succeed($0) } }
    case .abandoned: ledger.withLock { ledger in _ = ledger.claim(of: call).map { ledger.end($0) } }
    case .owed(let owed): inherit(owed, lookUp: lookUp)
    }
  }

  /// Takes over an owed call. ``run()`` must be running, or begin soon.
  package func inherit(_ owed: OwedCall, lookUp: OwedLookUp) {
    switch owed.about {
    case .pod(let request): inherit(owed, .known(EncodedPod(request)), lookUp.pod)
    case .container(let request): inherit(owed, .known(request), lookUp.container)
    case .unknown(let why):
      switch owed.call.hookPoint {
      case .postStopPodSandbox: inherit(owed, .unknown(why), lookUp.pod)
      case .postStopContainer, .preRunPodSandbox, .preCreateContainer, .preStartContainer, .postStartContainer,
        .preUpdateContainerResources:
        inherit(owed, .unknown(why), lookUp.container)
      }
    }
  }

  private func inherit<R: HookRequest>(
    _ owed: OwedCall, _ subject: Subject<R>, _ lookUp: @escaping @Sendable (String) async -> Subject<R>
  ) {
    let call = owed.call
    let claim = ledger.withLock { ledger -> StopLedger.Claim? in
      guard let claim = ledger.claim(of: call) ?? ledger.claim(call.plugin, call.hookPoint, objectID: call.objectID)
      else { return nil }
      _ = ledger.owe(claim)
      return claim
    }
    guard let claim else { return }
    let plugin = Plugin(name: call.plugin, endpoint: "", failurePolicy: .fail, hookPoints: [call.hookPoint])
    let delivery = StopDelivery(claim, to: plugin, company: CallCompany()) { await lookUp(call.objectID) }
    let schedule = OwedSchedule(resuming: owed, at: clock.now)
    let next = clock.now + owed.wait
    waiting.withLock { $0.began(1) }
    let isStarted = jobs.start { await self.deliver(delivery, subject: subject, resuming: (schedule, next)) }
    if !isStarted { lose(delivery) }
  }
}

extension StopLedger.Claim {
  var call: StopCall { StopCall(plugin: plugin, hookPoint: hookPoint, objectID: objectID) }
}
