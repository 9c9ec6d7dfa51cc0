internal import Accounts
internal import Logging
internal import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// Attempts the call until it succeeds, is needless, is no longer owed, or the dispatcher ends. Each repetition
  /// goes to the plugin as it is registered then; if nothing registers it for the hook point any more, nobody is
  /// there to be owed the call.
  /// - Parameters:
  ///   - resuming: it is owed already, and when its next attempt is due.
  ///   - attempted: called after the first attempt; may be called again.
  func deliver<R: HookRequest>(
    _ delivery: StopDelivery<R>, subject: Subject<R>,
    resuming: (schedule: OwedSchedule, at: ContinuousClock.Instant)? = nil,
    attempted: @Sendable () -> Void = {}
  ) async {
    defer {
      attempted()
      waiting.withLock { $0.ended(1) }.forEach { $0.resume() }
    }
    var delivery = delivery
    var subject = subject
    var schedule = resuming?.schedule
    var attempts = 0
    if let resuming {
      guard await waits(until: resuming.at, resuming.schedule, attempts, &delivery, &subject) else { return }
    }
    while ledger.withLock({ $0.isOpen(delivery.claim) }) {
      attempts += 1
      let began = clock.now
      if attempts == 1 { delivery.noteAsked(at: began) }
      let ended = await attempt(delivery, subject)
      func note(_ verdict: Verdict) { delivery.note(verdict, attempt: attempts, began: began, at: clock.now) }
      switch ended {
      case .succeeded:
        note(.answered)
        end(delivery, .succeeded)
        if schedule != nil { log(.info, "the owed call has succeeded", delivery, subject) }
        return
      case .needless(let reason):
        note(.notAsked(reason))
        return end(delivery, .abandoned)
      case .failed(let cause, isOwed: false):
        note(cause.failure(.ignored))
        counted.withLock { $0.failuresIgnored += 1 }
        log(.warning, "\(cause)", delivery, subject, verdict: "ignored")
        return end(delivery, .abandoned)
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
        guard await waits(until: next, following, attempts, &delivery, &subject) else { return }
      }
    }
  }

  /// Waits for the next attempt of an owed call, and finds out to whom it goes then.
  /// - Returns: false if there is none here: the dispatcher ends, another process has taken over, or nothing registers
  ///   the plugin any more.
  private func waits<R: HookRequest>(
    until next: ContinuousClock.Instant, _ schedule: OwedSchedule, _ attempts: Int,
    _ delivery: inout StopDelivery<R>, _ subject: inout Subject<R>
  ) async -> Bool {
    guard await sleeps(delivery.claim, until: next, schedule, OwedCall.About(subject)) else { return false }
    guard let plugin = registrationNow(delivery.plugin), plugin.hookPoints.contains(delivery.claim.hookPoint)
    else {
      delivery.note(.notAsked(.registrationGone), attempt: attempts + 1, at: clock.now)
      giveUp(delivery, subject, "owed, and now its registration is gone")
      return false
    }
    delivery.plugin = plugin
    if case .unknown = subject { subject = await delivery.lookUp() }
    return true
  }

  private func sleeps(
    _ claim: StopLedger.Claim, until next: ContinuousClock.Instant, _ schedule: OwedSchedule, _ about: OwedCall.About
  ) async -> Bool {
    let owed: @Sendable () -> OwedCall = { [clock] in
      OwedCall(
        call: claim.call, about: about, wait: clock.left(until: next), delay: schedule.delay,
        left: clock.left(until: schedule.end))
    }
    // Cancelled: the call stays open in the ledger, where `run()` finds it.
    while true {
      let (turn, quiet) = waiting.withLock { $0.wait(claim, owed) }
      quiet.forEach { $0.resume() }
      switch turn {
      case .undecided:
        do { try await clock.sleep(until: clock.now + Waiting.decision) } catch { return false }
      case .handOn(let successor):
        successor.ended(claim.call, .owed(owed()))
        _ = ledger.withLock { $0.end(claim) }
        return false
      case .sleep:
        do { try await clock.sleep(until: next) } catch {
          waiting.withLock { $0.leave(claim) }
          return false
        }
        while !waiting.withLock({ $0.wake(claim) }) {
          do { try await clock.sleep(until: clock.now + Waiting.decision) } catch {
            waiting.withLock { $0.leave(claim) }
            return false
          }
        }
        return ledger.withLock { $0.isOpen(claim) }
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

  /// The call is over, here and for the process that has taken over, if there is one.
  func end<R: HookRequest>(_ delivery: StopDelivery<R>, _ end: StopEnd) {
    ledger.withLock { ledger in
      switch end {
      case .succeeded: ledger.succeed(delivery.claim)
      case .abandoned, .owed: ledger.end(delivery.claim)
      }
    }
    waiting.withLock { $0.successor }?.ended(delivery.claim.call, end)
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
    guard ledger.withLock({ $0.isOpen(delivery.claim) }) else { return }
    end(delivery, .abandoned)
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
