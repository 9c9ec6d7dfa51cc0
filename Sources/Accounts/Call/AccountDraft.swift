internal import FoundationEssentials
internal import Synchronization

/// The account of a call that is under way: whoever has a part in the call notes it here, and the book gets it when the
/// call is over.
///
/// A hook call is noted when the plugin is asked and again when it is known what came of it. PostStop* calls may go on
/// when the account has been filed: what comes of them is then an account of its own. Nothing is rendered here but the
/// texts of failures.
package final class AccountDraft: Sendable {
  private struct State {
    var account: Account
    var isFiled = false
  }

  private let state: Mutex<State>
  private let began: ContinuousClock.Instant
  private let book: AccountBook

  /// - Parameter began: When the call came, by the clock of all instants that are noted.
  package init(verb: String, began: ContinuousClock.Instant, trace: TraceContext? = nil, book: AccountBook) {
    state = Mutex(State(account: Account(verb: verb, began: book.wallClock(), trace: trace)))
    self.began = began
    self.book = book
  }

  // MARK: Whom the call is about

  package func note(pod: PodIdentity) { state.withLock { $0.account.pod = pod } }

  package func note(podSandboxID: String) {
    guard !podSandboxID.isEmpty else { return }
    state.withLock { $0.account.podSandboxID = ShownValue.cut(podSandboxID) }
  }

  package func note(containerID: String) {
    guard !containerID.isEmpty else { return }
    state.withLock { $0.account.containerID = ShownValue.cut(containerID) }
  }

  // MARK: The plugins

  /// The plugin is being asked, or about to be; until more is noted, its answer is outstanding. Noted again, it is now
  /// that it is asked.
  package func asks(_ plugin: String, _ hookPoint: String, isUnderFail: Bool, at now: ContinuousClock.Instant) {
    let elapsed = began.duration(to: now)
    state.withLock { state in
      guard !state.isFiled, !state.account.withHookCall(plugin, hookPoint, { $0.began = elapsed }) else { return }
      state.account.hookCalls.append(
        HookCall(plugin: plugin, hookPoint: hookPoint, isUnderFail: isUnderFail, began: elapsed, verdict: .pending))
    }
  }

  /// The plugin is registered for the hook point and not asked.
  package func doesNotAsk(_ plugin: String, _ hookPoint: String, isUnderFail: Bool, _ reason: Verdict.Reason) {
    settle(plugin, hookPoint, isUnderFail: isUnderFail, .notAsked(reason), at: nil)
  }

  /// The plugin has answered. What it wanted is noted next, if anybody reads that.
  package func answered(_ plugin: String, _ hookPoint: String, at now: ContinuousClock.Instant) {
    let elapsed = began.duration(to: now)
    state.withLock { state in
      _ = state.account.withHookCall(plugin, hookPoint) { $0.duration = elapsed - $0.began }
    }
  }

  /// The plugin's answer has been read: these changes took effect, those did not.
  package func took(
    _ changes: [FieldChange], dropped: [DroppedChange], of plugin: String, _ hookPoint: String
  ) {
    state.withLock { state in
      _ = state.account.withHookCall(plugin, hookPoint) { call in
        for change in changes { call.add(change) }
        for change in dropped { call.add(change) }
        call.verdict = call.changes.isEmpty ? .unchanged : .changed
      }
    }
  }

  /// What came of a plugin. Later failures replace what was noted before: the runtime may refuse a change.
  /// - Parameters:
  ///   - now: When it was known; nil if the plugin was not asked, or ``answered(_:_:at:)`` has been noted.
  ///   - attempt: Of an owed call, which attempt it was; 1 is the first.
  package func settle(
    _ plugin: String, _ hookPoint: String, isUnderFail: Bool, _ verdict: Verdict, at now: ContinuousClock.Instant?,
    attempt: Int = 1, attemptBegan: ContinuousClock.Instant? = nil
  ) {
    let elapsed = now.map { began.duration(to: $0) }
    let start = attemptBegan.map { began.duration(to: $0) }
    let apart: Account? = state.withLock { state in
      var call = HookCall(plugin: plugin, hookPoint: hookPoint, isUnderFail: isUnderFail, verdict: verdict)
      if state.isFiled || attempt > 1 {
        let start = start ?? state.account.hookCall(plugin, hookPoint)?.began ?? .zero
        call.duration = max((elapsed ?? start) - start, .zero)
        return state.account.following(with: call, attempt: attempt, at: start)
      }
      let isKnown = state.account.withHookCall(plugin, hookPoint) { call in
        call.verdict = verdict
        if let elapsed { call.duration = elapsed - call.began }
      }
      if !isKnown {
        call.began = elapsed ?? .zero
        state.account.hookCalls.append(call)
      }
      return nil
    }
    if let apart { book.file(apart) }
  }

  // MARK: The answers

  /// - Parameter code: The name of the runtime's status code, which kubelet gets too unless ``refused(_:_:)`` is noted.
  package func runtimeAnswered(_ code: String) {
    state.withLock { state in
      state.account.runtimeCode = code
      state.account.kubeletCode = code
    }
  }

  /// kubelet gets a status of ours.
  package func refused(_ code: String, _ text: String) {
    state.withLock { state in
      state.account.kubeletCode = code
      state.account.refusal = text
    }
  }

  /// kubelet's call is reset.
  package func reset() { state.withLock { $0.account.kubeletCode = nil } }

  /// kubelet is being answered.
  package func ends(at now: ContinuousClock.Instant) {
    let duration = began.duration(to: now)
    state.withLock { $0.account.duration = duration }
  }

  /// The account is complete, but for PostStop* calls that go on. Of a call at which nobody was to be asked there is
  /// none. May be called once, from any thread.
  /// - Returns: What was filed.
  @discardableResult
  package func file() -> Account? {
    let account = state.withLock { state in
      defer { state.isFiled = true }
      return state.isFiled || state.account.hookCalls.isEmpty ? nil : state.account
    }
    if let account { book.file(account) }
    return account
  }
}

extension Account {
  private func index(of plugin: String, _ hookPoint: String) -> Int? {
    hookCalls.lastIndex { $0.plugin == plugin && $0.hookPoint == hookPoint }
  }

  fileprivate func hookCall(_ plugin: String, _ hookPoint: String) -> HookCall? {
    index(of: plugin, hookPoint).map { hookCalls[$0] }
  }

  /// - Returns: Whether there is such a hook call.
  fileprivate mutating func withHookCall(
    _ plugin: String, _ hookPoint: String, _ body: (inout HookCall) -> Void
  ) -> Bool {
    guard let index = index(of: plugin, hookPoint) else { return false }
    body(&hookCalls[index])
    return true
  }

  /// The account of one plugin's call that went on, or was repeated, apart from the call that caused it.
  fileprivate func following(with call: HookCall, attempt: Int, at start: Duration) -> Account {
    Account(
      verb: verb, pod: pod, podSandboxID: podSandboxID, containerID: containerID, began: began + start.seconds,
      duration: call.duration, hookCalls: [call], attempt: attempt, trace: trace)
  }
}
