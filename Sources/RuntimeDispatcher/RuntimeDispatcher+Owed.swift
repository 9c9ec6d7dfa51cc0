internal import Accounts
internal import Logging
internal import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// Attempts the call until it succeeds, is needless, is no longer owed, or the dispatcher ends. Each repetition
  /// goes to the plugin as it is registered then; if nothing registers it for the hook point any more, nobody is
  /// there to be owed the call.
  /// - Parameter attempted: called after the first attempt; may be called again.
  func deliver<R: HookRequest>(
    _ delivery: StopDelivery<R>, subject: Subject<R>, attempted: @Sendable () -> Void
  ) async {
    defer { attempted() }
    var delivery = delivery
    var subject = subject
    var schedule: OwedSchedule?
    var attempts = 0
    while ledger.withLock({ $0.isOpen(delivery.claim) }) {
      attempts += 1
      let began = clock.now
      if attempts == 1 { delivery.noteAsked(at: began) }
      let ended = await attempt(delivery, subject)
      func note(_ verdict: Verdict) { delivery.note(verdict, attempt: attempts, began: began, at: clock.now) }
      switch ended {
      case .succeeded:
        note(.answered)
        ledger.withLock { $0.succeed(delivery.claim) }
        if schedule != nil { log(.info, "the owed call has succeeded", delivery, subject) }
        return
      case .needless(let reason):
        note(.notAsked(reason))
        return _ = ledger.withLock { $0.end(delivery.claim) }
      case .failed(let cause, isOwed: false):
        note(cause.failure(.ignored))
        counted.withLock { $0.failuresIgnored += 1 }
        log(.warning, "\(cause)", delivery, subject, verdict: "ignored")
        return _ = ledger.withLock { $0.end(delivery.claim) }
      case .failed(let cause, isOwed: true):
        var following = schedule ?? OwedSchedule(firstFailureAt: clock.now)
        let next = following.next(afterFailureAt: clock.now)
        note(cause.failure(next == nil ? .dropped : .owed))
        if schedule == nil {
          owe(delivery, subject, cause)
        } else {
          log(.debug, "\(cause)", delivery, subject, verdict: "owed")
        }
        attempted()
        guard let next else {
          return giveUp(delivery, subject, "owed for \(OwedSchedule.limit.inWords), last failure: \(cause)")
        }
        schedule = following
        // Cancelled: the call stays open in the ledger, where `run()` finds it.
        do { try await clock.sleep(until: next) } catch { return }
        guard let plugin = registrationNow(delivery.plugin), plugin.hookPoints.contains(delivery.claim.hookPoint)
        else {
          delivery.note(.notAsked(.registrationGone), attempt: attempts + 1, at: clock.now)
          return giveUp(delivery, subject, "owed, and now its registration is gone")
        }
        delivery.plugin = plugin
        if case .unknown = subject { subject = await delivery.lookUp() }
      }
    }
  }

  private func attempt<R: HookRequest>(
    _ delivery: StopDelivery<R>, _ subject: Subject<R>
  ) async -> StopDelivery<R>.Attempt {
    let isUnderFail = delivery.plugin.failurePolicy == .fail
    switch subject {
    case .gone: return .needless(.objectGone)
    case .unknown(let why): return .failed(.subjectUnknown(why), isOwed: isUnderFail)
    case .known(let request):
      if rules.skips(request) { return .needless(.skipLabel) }
      do {
        // The answer is not read: a stopped object cannot be changed.
        _ = try await caller.call(
          delivery.plugin, at: delivery.claim.hookPoint, request: request.bytes(), by: nil,
          trace: delivery.company.trace)
        return .succeeded
      } catch {
        let cause = error == .cancelled ? HookFailure.Cause.ending : error
        return .failed(cause, isOwed: isUnderFail && !isExempt(request))
      }
    }
  }

  private func owe<R: HookRequest>(
    _ delivery: StopDelivery<R>, _ subject: Subject<R>, _ cause: HookFailure.Cause
  ) {
    let dropped = ledger.withLock { $0.owe(delivery.claim) }
    counted.withLock { counters in
      counters.failuresIgnored += 1
      counters.owedDropped += dropped == nil ? 0 : 1
    }
    log(.warning, "\(cause)", delivery, subject, verdict: "owed")
    if let dropped {
      logger.error(
        "hook server \(dropped.plugin): \(dropped.hookPoint.rawValue): more than \(StopLedger.owedLimit) calls are owed",
        metadata: ["object": "\(dropped.objectID)", "verdict": "dropped"])
    }
  }

  private func giveUp<R: HookRequest>(
    _ delivery: StopDelivery<R>, _ subject: Subject<R>, _ why: String
  ) {
    guard ledger.withLock({ $0.end(delivery.claim) }) else { return }
    counted.withLock { $0.owedDropped += 1 }
    log(.error, why, delivery, subject, verdict: "dropped")
  }

  private func log<R: HookRequest>(
    _ level: Logger.Level, _ text: String, _ delivery: StopDelivery<R>, _ subject: Subject<R>,
    verdict: String? = nil
  ) {
    var metadata: Logger.Metadata = ["object": "\(delivery.claim.objectID)"]
    if case .known(let request) = subject { metadata["pod"] = "\(request.podIdentity)" }
    if let verdict { metadata["verdict"] = "\(verdict)" }
    logger.log(
      level: level, "hook server \(delivery.plugin.name): \(delivery.claim.hookPoint.rawValue): \(text)",
      metadata: metadata)
  }
}
