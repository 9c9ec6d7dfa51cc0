import Accounts
import FoundationEssentials
import Testing

struct AccountDraftTests {
  private let book = AccountBook(wallClock: { Date(timeIntervalSince1970: 1000) })
  private let start = ContinuousClock.now

  private func draft(_ verb: String = "StopContainer") -> AccountDraft {
    let draft = AccountDraft(verb: verb, began: start, book: book)
    draft.note(containerID: "c1")
    return draft
  }

  private func after(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

  @Test func tellsACallFromItsBeginningToItsEnd() throws {
    let draft = draft("CreateContainer")
    draft.note(pod: PodIdentity(namespace: "demo", name: "web", uid: "u"))
    draft.note(podSandboxID: "p1")
    draft.asks("batch", "PreCreateContainer", isUnderFail: true, at: after(2))
    draft.answered("batch", "PreCreateContainer", at: after(7))
    let field = ChangedField(.cpuShares)
    draft.took(
      [FieldChange(field, before: .number(1024), after: .number(128))],
      dropped: [DroppedChange(ChangedField(.unified, key: "k"), wanted: .text("v"), .conflict(owner: "a"))],
      of: "batch", "PreCreateContainer")
    draft.runtimeAnswered("OK")
    draft.ends(at: after(20))
    draft.file()
    draft.file()

    #expect(book.count == 1)
    let account = try #require(book.accounts("c1").first)
    #expect(account.verb == "CreateContainer")
    #expect(account.pod?.description == "demo/web")
    #expect(account.began == Date(timeIntervalSince1970: 1000))
    #expect(account.duration == .milliseconds(20))
    #expect(account.runtimeCode == "OK")
    #expect(account.kubeletCode == "OK")
    let call = try #require(account.hookCalls.first)
    #expect(call.began == .milliseconds(2))
    #expect(call.duration == .milliseconds(5))
    #expect(call.verdict == .changed)
    #expect(call.changes.map(\.field) == [field])
    #expect(call.dropped.map(\.reason) == [.conflict(owner: "a")])
    #expect(account.attempt == nil)
  }

  @Test func ofACallAtWhichNobodyWasToBeAskedThereIsNone() {
    let draft = draft()
    draft.runtimeAnswered("OK")
    draft.file()
    #expect(book.count == 0)
  }

  @Test func aLaterFailureReplacesAChange() {
    let draft = draft("StartContainer")
    draft.asks("batch", "PreStartContainer", isUnderFail: true, at: after(1))
    draft.answered("batch", "PreStartContainer", at: after(2))
    draft.took(
      [FieldChange(ChangedField(.cpuQuota), before: nil, after: .number(5))], dropped: [], of: "batch",
      "PreStartContainer")
    let failure = Failure(.runtimeRefused, "no", effect: .refused)
    draft.settle("batch", "PreStartContainer", isUnderFail: true, .failed(failure), at: nil)
    draft.refused("INVALID_ARGUMENT", "no")
    draft.file()
    let account = book.accounts("c1").first
    #expect(account?.hookCalls.map(\.verdict) == [.failed(failure)])
    #expect(account?.hookCalls.first?.duration == .milliseconds(1))
    #expect(account?.kubeletCode == "INVALID_ARGUMENT")
    #expect(account?.runtimeCode == nil)
    #expect(account?.refusal == "no")
  }

  @Test func whatIsOutstandingWhenKubeletIsAnsweredIsAnAccountOfItsOwn() {
    let draft = draft()
    draft.asks("batch", "PostStopContainer", isUnderFail: false, at: after(10))
    draft.ends(at: after(100))
    draft.file()
    draft.settle("batch", "PostStopContainer", isUnderFail: false, .answered, at: after(250))
    let accounts = book.accounts("c1")
    #expect(accounts.map { $0.hookCalls.map(\.verdict) } == [[.pending], [.answered]])
    #expect(accounts.map(\.attempt) == [nil, 1])
    #expect(accounts.last?.duration == .milliseconds(240))
    #expect(accounts.last?.began == Date(timeIntervalSince1970: 1000.01))
    #expect(accounts.last?.kubeletCode == nil)
    #expect(book.statistics(of: "batch")?.calls == 1)
  }

  @Test func aRepetitionIsAnAccountOfItsOwnEvenWhenTheCallGoesOn() {
    let draft = draft()
    let owed = Verdict.failed(Failure(.socketUnavailable, "away", effect: .owed))
    draft.asks("batch", "PostStopContainer", isUnderFail: true, at: after(1))
    draft.settle("batch", "PostStopContainer", isUnderFail: true, owed, at: after(2))
    draft.settle(
      "batch", "PostStopContainer", isUnderFail: true, .answered, at: after(1003), attempt: 2, attemptBegan: after(1000)
    )
    draft.file()
    let accounts = book.accounts("c1")
    #expect(accounts.map(\.attempt) == [2, nil])
    #expect(accounts.map { $0.hookCalls.map(\.verdict) } == [[.answered], [owed]])
    #expect(accounts.first?.duration == .milliseconds(3))
  }

  @Test func anIDOfAnyLengthIsBounded() {
    let draft = AccountDraft(verb: "StopContainer", began: start, book: book)
    draft.note(containerID: String(repeating: "x", count: 100_000))
    draft.asks("batch", "PostStopContainer", isUnderFail: false, at: start)
    draft.file()
    #expect(book.accounts("x").first?.containerID?.utf8.count == ShownValue.limitBytes)
  }
}
