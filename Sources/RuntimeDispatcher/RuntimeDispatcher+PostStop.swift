internal import Accounts
internal import Logging
package import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// Tells the plugins at a PostStop* hook point that an object has been stopped. Never fails: kubelet always
  /// gets the runtime's answer, and a call that fails under Fail is owed (design, "Failure").
  ///
  /// A plugin is not told again about an object while it is being told, is owed the call, or has answered.
  /// - Parameters:
  ///   - objectID: the sandbox's or container's id.
  ///   - registry: the plugins that this call sees; the repetitions of an owed call go to whatever the plugin's file
  ///     says then.
  ///   - answerBy: when to return at the latest, the plugins' calls going on: 1 s before kubelet's deadline.
  ///   - company: what goes along with the call, also when this has returned.
  ///   - subject: what the object is. Asked once, in a task of the dispatcher; again with each repetition as
  ///     long as the answer is `unknown`. Must have a deadline of its own.
  package func postStop<R: HookRequest>(
    _ point: HookPoint, objectID: String, in registry: Registry, answerBy: ContinuousClock.Instant?,
    company: CallCompany = CallCompany(), subject: @escaping @Sendable () async -> Subject<R>
  ) async {
    let plugins = registry.plugins(at: point)
    let claims = ledger.withLock { ledger in plugins.map { ledger.claim($0.name, point, objectID: objectID) } }
    let claimed = zip(plugins, claims).compactMap { plugin, claim -> StopDelivery<R>? in
      guard let claim else {
        company.account?.doesNotAsk(
          plugin.name, point.rawValue, isUnderFail: plugin.failurePolicy == .fail, .toldBefore)
        return nil
      }
      let delivery = StopDelivery(claim, to: plugin, company: company, subject)
      delivery.noteAsked(at: clock.now)
      return delivery
    }
    guard !claimed.isEmpty else { return }
    waiting.withLock { $0.began(claimed.count) }
    let deliveries = await granted(claimed)
    guard !deliveries.isEmpty else { return }
    let firstAttempts = Gathering<Bool>(count: deliveries.count)
    let isStarted = jobs.start {
      let subject = await subject()
      if case .known(let request) = subject { company.account?.note(pod: request.podIdentity) }
      await withDiscardingTaskGroup { group in
        for (index, delivery) in deliveries.enumerated() {
          group.addTask {
            await self.deliver(delivery, subject: subject) { firstAttempts.deliver(true, at: index) }
          }
        }
      }
    }
    guard isStarted else { return deliveries.forEach(lose) }
    await wait(for: firstAttempts, until: answerBy)
  }

  /// Of these, the calls that the process which has taken over, if there is one, does not make itself.
  private func granted<R: HookRequest>(_ claimed: [StopDelivery<R>]) async -> [StopDelivery<R>] {
    guard let successor = waiting.withLock({ $0.successor }) else { return claimed }
    var granted: [StopDelivery<R>] = []
    for delivery in claimed {
      if await successor.claims(delivery.claim.call) {
        granted.append(delivery)
      } else {
        _ = ledger.withLock { $0.end(delivery.claim) }
        delivery.note(.notAsked(.toldBefore), attempt: 1, at: clock.now)
        waiting.withLock { $0.ended(1) }.forEach { $0.resume() }
      }
    }
    return granted
  }

  /// Returns also when the caller's task is cancelled: kubelet waits no more.
  private func wait(for firstAttempts: Gathering<Bool>, until answerBy: ContinuousClock.Instant?) async {
    await withTaskCancellationHandler {
      guard let answerBy else { return _ = await firstAttempts.values() }
      await withDiscardingTaskGroup { group in
        group.addTask {
          try? await self.clock.sleep(until: answerBy)
          firstAttempts.close()
        }
        _ = await firstAttempts.values()
        group.cancelAll()
      }
    } onCancel: {
      firstAttempts.close()
    }
  }
}
