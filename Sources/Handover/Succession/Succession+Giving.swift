internal import CRIServer
internal import Glibc
internal import HandoverMessages
internal import Logging
internal import NIOCore
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

// The process that goes.

extension Succession {
  /// `runtime-manager upgrade` has said something.
  func asked(_ content: HandoverFrame.OneOf_Content, by requester: Link) {
    guard case .request(let request) = content else { return }
    switch state.requested(oldProcesses: predecessors.count) {
    case .start:
      let confined = NIOLoopBound((self, requester), eventLoop: eventLoop)
      Task(executorPreference: parts.calls.executor) {
        let (succession, requester) = confined.value
        await succession.start(request, for: requester)
      }
    case .refuse(let refusal):
      logger.warning("an upgrade is refused", metadata: ["reason": "\(refusal)"])
      let outcome: HandoverUpgradeAnswer.Outcome
      switch refusal {
      case .tooManyOld: outcome = .tooMany
      case .busy, .notServing, .otherVersion: outcome = .busy
      }
      requester.send(
        .answer(
          .with {
            $0.outcome = outcome
            $0.text = refusal.description
          }))
    default: break
    }
  }

  private func start(_ request: HandoverUpgradeRequest, for requester: Link) async {
    logger.info("an upgrade is asked for", metadata: ["program": "\(request.program)"])
    var pair: [CInt] = [-1, -1]
    guard let ours = parts.cri.descriptors, let control = control.descriptor,
      socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &pair) == 0
    else { return refuse("no descriptors are left", requester) }
    defer { close(pair[1]) }
    let old = predecessors.descriptors
    let child: pid_t
    do throws(Program.StartError) {
      child = try Program.start(
        request.program, leaving: [pair[1], ours.socket, ours.lock, control] + old,
        Inheritance(isActivated: ours.isActivated, predecessors: old.count, isFirstStage: true))
    } catch {
      close(pair[0])
      return refuse("\(request.program) cannot be started: \(error.description)", requester)
    }
    guard let link = try? await Link.connected(pair[0], on: eventLoop) else {
      kill(-child, SIGKILL)
      return refuse("the new process cannot be talked to", requester)
    }
    let attempt = Attempt(link: link, child: child, predecessors: old, requester: requester)
    self.attempt = attempt
    link.whenFrame = { [weak self] in self?.heard($0) }
    link.whenEnded = { [weak self] in self?.lost(nil) }
    let milliseconds = Int64(request.timeoutMs)
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    attempt.limit = eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
      confined.value.lost("it did not take over within \(milliseconds / 1000) s")
    }
    HandoverStep.started.pass()
    link.proceed()
  }

  private func refuse(_ text: String, _ requester: Link) {
    _ = state.ended()
    logger.error("the upgrade has failed", metadata: ["reason": "\(text)"])
    requester.send(.answer(.with { $0.text = text }))
  }

  /// The new process has said something.
  private func heard(_ content: HandoverFrame.OneOf_Content) {
    switch content {
    case .hello(let hello):
      attempt?.newProcess = hello.process
      attempt?.reap()
      perform(state.greeted(version: hello.version), hello.programVersion)
    case .serving: perform(state.served(), "")
    case .released: release()
    case .terminate: finished()
    default: heir?.heard(content)
    }
  }

  private func perform(_ step: HandoverState.Step, _ programVersion: String) {
    switch step {
    case .offer:
      HandoverStep.greeted.pass()
      logger.info("the new process takes over", metadata: ["version": "\(programVersion)"])
      let confined = NIOLoopBound(self, eventLoop: eventLoop)
      Task(executorPreference: parts.calls.executor) { await confined.value.offer() }
    case .callOff(let refusal): fail(refusal.description)
    case .finish: finish()
    default: break
    }
  }

  private func offer() async {
    await parts.cri.close()
    await control.pause()
    await willGive()
    HandoverStep.closed.pass()
    // The new process may have died meanwhile.
    guard state.phase == .offering, let attempt else { return told(.wentOn) }
    let heir = Heir(attempt.link, store: parts.store, eventLoop: eventLoop)
    self.heir = heir
    // In one turn of the event loop: what is known at this moment, and from now on whatever is new.
    let estate = parts.dispatcher.handOver(to: heir)
    heir.give(
      estate, predecessors: predecessors.pause(attempt.predecessors),
      runtimeHasAnswered: parts.calls.runtimeHasAnswered)
    parts.calls.successor = heir
    HandoverStep.given.pass()
  }

  /// This process never serves again. What it kept for that would keep the path from whoever serves it next.
  private func release() {
    state.released()
    guard state.phase == .released else { return }
    parts.cri.release()
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    Task(executorPreference: parts.calls.executor) { await confined.value.control.close() }
  }

  private func finish() {
    HandoverStep.finishing.pass()
    attempt?.reap()
    let calls = parts.cri.callsInFlight
    told(.handedOver)
    parts.dispatcher.handedOver()
    predecessors.letGo()
    parts.cri.handOver()
    attempt?.answer(.done, "", calls: calls)
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    Task(executorPreference: parts.calls.executor) { await confined.value.finishCalls() }
  }

  private func finishCalls() async {
    await parts.cri.untilEmpty()
    await parts.dispatcher.untilQuiet()
    // It lives, and knows everything.
    await heir?.knows()
    // Taken back meanwhile: then it serves again, for good or until the next upgrade.
    guard state.phase != .serving else { return }
    finished()
  }

  /// The new process is gone, or is to go.
  ///
  /// - Parameter reason: Nil if it has ended by itself.
  private func lost(_ reason: String?) {
    let step = state.ended()
    guard step != .nothing else { return }
    let failure = attempt?.failure().map { ": \($0)" } ?? ", which it may have explained in the log"
    let text = reason ?? "the new process ended before it had taken over\(failure)"
    switch step {
    case .goOn: fail(text)
    case .takeBack(let hadServed):
      heir?.gone()
      heir = nil
      parts.calls.successor = nil
      parts.dispatcher.takenBack()
      fail(hadServed ? "the process that had taken over is gone" : text)
      let confined = NIOLoopBound(self, eventLoop: eventLoop)
      Task(executorPreference: parts.calls.executor) { await confined.value.acceptAgain() }
      predecessors.proceed()
      if hadServed {
        parts.store.markAllStale()
        told(.tookBack)
      } else {
        told(.wentOn)
      }
    case .finishAlone:
      heir?.gone()
      heir = nil
      parts.calls.successor = nil
    default: break
    }
  }

  private func acceptAgain() async {
    try? await parts.cri.accept()
    try? await control.proceed()
  }

  private func fail(_ text: String) {
    logger.error("the upgrade has failed; this process serves on", metadata: ["reason": "\(text)"])
    attempt?.link.send(.abort(.with { $0.reason = text }))
    attempt?.answer(.failed, text)
    let ended = attempt
    attempt = nil
    // What it was sent is read first; whatever it is doing, it ends.
    let confined = NIOLoopBound(ended, eventLoop: eventLoop)
    Task(executorPreference: parts.calls.executor) {
      await confined.value?.link.flush()
      confined.value?.end()
    }
  }

  /// Nothing is given any more.
  func callOff(_ reason: String) {
    switch state.phase {
    case .starting, .offering: lost(reason)
    case .serving, .finishing, .released: break
    }
  }
}
