import Accounts
import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// What the account of a call says of the plugins.
@Suite struct AccountTests {
  private let request = ContainerResourceHookRequest.example

  @Test func tellsOrderBeforeAfterOwnerAndConflict() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    var other = cpuShares(8)
    other.containerResources.cpusetCpus = "0-1"
    other.containerAnnotations = ["io.kubernetes.container.hash": "2", "new": "n"]
    try rig.transport.plugin("b", answers: other)
    _ = try await rig.pre(.preCreateContainer, request, [.named("c"), .named("b"), .named("a")])

    let account = try #require(rig.accounts.first)
    #expect(account.pod == PodIdentity(namespace: "shop", name: "web", uid: "u1"))
    #expect(account.hookCalls.map(\.plugin) == ["a", "b", "c"])
    #expect(account.hookCalls.map(\.hookPoint) == Array(repeating: "PreCreateContainer", count: 3))
    #expect(account.hookCalls.map(\.verdict) == [.changed, .changed, .unchanged])
    let shares = ChangedField(.cpuShares)
    #expect(account.hookCalls[0].changes == [FieldChange(shares, before: .number(100), after: .number(7))])
    #expect(
      account.hookCalls[1].changes == [
        FieldChange(ChangedField(.annotation, key: "new"), before: nil, after: .text("n")),
        FieldChange(ChangedField(.cpusetCPUs), before: .text("0-3"), after: .text("0-1")),
      ])
    #expect(
      account.hookCalls[1].dropped == [
        DroppedChange(
          ChangedField(.annotation, key: "io.kubernetes.container.hash"), wanted: .text("2"),
          .forbidden("the key is reserved for kubelet")),
        DroppedChange(shares, wanted: .number(8), .conflict(owner: "a")),
      ])
  }

  @Test func noValueOfAnEnvironmentVariableIsInIt() async throws {
    let rig = Rig()
    try rig.transport.plugin(
      "a", answers: ContainerResourceHookResponse.with { $0.containerEnvs = ["TOKEN": "hush", "NEW": "hush"] })
    try rig.transport.plugin(
      "b", answers: ContainerResourceHookResponse.with { $0.containerEnvs = ["TOKEN": "hush hush"] })
    _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    let account = try #require(rig.accounts.first)
    #expect(
      account.hookCalls[0].changes.map { "\($0.field) \($0.afterText)" } == ["env NEW (set)", "env TOKEN (changed)"])
    #expect(account.hookCalls[1].dropped.map(\.wanted) == [.secret])
    #expect(!"\(account)".contains("hush"))
    #expect(!"\(account)".contains("s3cret"))
  }

  @Test func underFailTheRefusalEndsTheOrder() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    rig.transport.plugin("b", fails: .status(Status(.internalError, "no")))
    await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b", .fail), .named("c"), .named("d")])
    }
    let calls = try #require(rig.accounts.first).hookCalls
    #expect(
      calls.map(\.verdict) == [
        .failed(Failure(.socketUnavailable, "socket unavailable: absent", effect: .ignored)),
        .failed(Failure(.status, "INTERNAL: no", effect: .refused)),
        .notAsked(.refusedEarlier), .notAsked(.refusedEarlier),
      ])
    #expect(calls.map(\.isUnderFail) == [false, true, false, false])
    #expect(calls.map(\.verdict.outcome) == [.failed, .refused, .notAsked, .notAsked])
  }

  @Test func underFailAForbiddenChangeShowsWhatWasWanted() async throws {
    let rig = Rig()
    try rig.transport.plugin(
      "a",
      answers: ContainerResourceHookResponse.with {
        $0.containerResources.cpuShares = 7; $0.containerEnvs = ["a=b": "x"]
      })
    await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preCreateContainer, request, [.named("a", .fail)])
    }
    let call = try #require(rig.accounts.first?.hookCalls.first)
    #expect(call.verdict.failure?.kind == .forbiddenChange)
    #expect(call.changes.isEmpty)
    #expect(call.dropped.map(\.field.key) == ["a=b"])
  }

  @Test func aPodWithTheSkipLabelIsAskedAboutNowhere() async throws {
    let rig = Rig()
    var request = request
    request.podLabels = ["runtimeproxy.koordinator.sh/skip-hookserver": "true"]
    _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    try await rig.running {
      _ = try await rig.postStart(request, [.named("a")])
      await rig.postStop(request, [.named("a")])
    }
    #expect(rig.transport.asked.isEmpty)
    #expect(rig.accounts.map { $0.hookCalls.map(\.plugin) } == [["a", "b"], ["a"], ["a"]])
    #expect(rig.accounts.flatMap(\.hookCalls).allSatisfy { $0.verdict == .notAsked(.skipLabel) })
  }

  @Test func durationsAreThoseOfThePlugin() async throws {
    let rig = Rig()
    let clock = rig.clock
    for (plugin, milliseconds) in [("a", 30), ("b", 5)] {
      rig.transport.plugin(plugin) { _ in
        clock.advance(by: .milliseconds(milliseconds))
        return []
      }
    }
    _ = try await rig.pre(.preCreateContainer, request, [.named("a"), .named("b")])
    let calls = try #require(rig.accounts.first).hookCalls
    #expect(calls.map(\.duration) == [.milliseconds(30), .milliseconds(5)])
    #expect(calls.map(\.began) == [.zero, .milliseconds(30)])
  }

  @Test func aTrippedPluginIsSaidToBe() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .deadlineExceeded(.seconds(5)))
    for _ in 0..<6 { _ = try await rig.pre(.preCreateContainer, request, [.named("a")]) }
    #expect(
      rig.accounts.map { $0.hookCalls.map(\.verdict.outcome) } == Array(repeating: [.failed], count: 5) + [[.tripped]])
    #expect(rig.book.statistics(of: "a")?.failures == [.deadline: 5, .tripped: 1])
  }

  @Test func whatTheRuntimeRefusedIsNoChange() async throws {
    let rig = Rig()
    try rig.transport.plugin("a", answers: cpuShares(7))
    let account = rig.draft()
    var container = request
    var call = rig.dispatcher.call(
      about: request, in: Registry(plugins: [.named("a")]), company: CallCompany(account: account))
    _ = try await rig.dispatcher.pre(.preStartContainer, &container, call: &call, deadline: nil)
    try rig.dispatcher.failure(
      of: [.named("a")], .runtimeRefused(Status(.invalidArgument, "no")), at: .preStartContainer, call: call)
    call.noteRuntimeFailed(at: .postStartContainer)
    account.file()
    let calls = try #require(rig.accounts.first).hookCalls
    #expect(calls.map(\.verdict.failure?.kind) == [.runtimeRefused, nil])
    #expect(calls.map(\.hookPoint) == ["PreStartContainer", "PostStartContainer"])
    #expect(calls.last?.verdict == .notAsked(.runtimeFailed))
  }

  @Test func pluginsThatAreAskedAtOnceAreInOrderOfTheirNames() async throws {
    let rig = Rig()
    try rig.transport.plugin("b", answers: cpuShares(8))
    rig.transport.plugin("a", fails: .connectionBroken("reset"))
    try await rig.running {
      _ = try await rig.postStart(request, [.named("b"), .named("c"), .named("a")])
    }
    let calls = try #require(rig.accounts.first).hookCalls
    #expect(calls.map(\.plugin) == ["a", "b", "c"])
    #expect(calls.map(\.verdict.outcome) == [.failed, .changed, .unchanged])
  }

  @Test func anOwedCallAndItsRepetitionsAreTold() async throws {
    let rig = Rig()
    rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await rig.running {
      await rig.postStop(request, [.named("a", .fail), .named("b")])
      for seconds in [1, 2] {
        await rig.clock.sleepers(1)
        if seconds == 2 { rig.transport.plugin("a", answers: []) }
        rig.clock.advance(by: .seconds(seconds))
      }
      while rig.dispatcher.counters.owed > 0 { await Task.yield() }
      await rig.postStop(request, [.named("a", .fail)])
    }
    let owed = Verdict.failed(Failure(.socketUnavailable, "socket unavailable: absent", effect: .owed))
    #expect(
      rig.accounts.map { $0.hookCalls.map(\.verdict) } == [[owed, .answered], [.answered], [.notAsked(.toldBefore)]])
    #expect(rig.accounts.map(\.attempt) == [nil, 3, nil])
    #expect(rig.book.statistics(of: "a")?.calls == 3)
    #expect(rig.book.statistics(of: "a")?.failures == [.socketUnavailable: 2])
  }
}
