import GRPC
import HookMessages
import PluginsManager
import Testing

@testable import RuntimeDispatcher

/// Deadlines, the breaker and owed calls on a clock that stands still, leaps, and runs backwards. What passes and what
/// the clock shows of it are apart.
@Suite struct ClockTests {
  private let still = StillRig()
  private var asked: [MemoryTransport.Asked] { still.rig.transport.asked }
  private var counters: DispatcherCounters { still.rig.dispatcher.counters }

  // MARK: The clock stands still

  @Test func aStoppedClockExpiresNoDeadline() {
    for name in ["a", "b", "c", "d"] { still.rig.transport.plugin(name, hangsOn: still.rig.clock) }
    let call = still.pre(["a", "b", "c", "d"].map { .named($0) }, within: .seconds(8))
    for count in 1...4 {
      #expect(asked.count == count)
      still.advance(by: .seconds(5), showing: .zero)
    }
    #expect(call.value != nil)
    #expect(asked.map(\.timeout) == Array(repeating: .seconds(5), count: 4))
  }

  @Test(arguments: [Duration.zero, .seconds(-5)])
  func aClockThatStandsStillOrRunsBackwardsClosesNoBreaker(shown: Duration) {
    trip()
    for _ in 0..<100 {
      still.advance(by: .seconds(5), showing: shown)
      #expect(still.pre([.named("a", .fail)]).value??.status.code == .unavailable)
    }
    #expect(asked.count == 5)
    still.advance(by: .seconds(5))
    _ = still.pre([.named("a")])
    #expect(asked.count == 6)
  }

  @Test func aStoppedClockRepeatsAnOwedCallOnceAfterEachPauseAndGivesItUpWhenTheyAddUpTo10Minutes() {
    owesOneCall { pause in still.advance(by: pause, showing: .zero) }
  }

  // MARK: The clock leaps

  @Test func aLeapExpiresTheDeadlineOfAllPreHooksOnce() {
    still.rig.transport.plugin("a", hangsOn: still.rig.clock)
    let call = still.pre([.named("a"), .named("b", .fail), .named("c", .fail)], within: .seconds(8))
    still.advance(by: .seconds(3600))
    #expect(asked.map(\.plugin) == ["a"])
    #expect(call.value??.status.message.hasPrefix("hook server err: b: PreStartContainer: kubelet's deadline") == true)
    #expect(counters.failuresIgnored == 1 && counters.failuresRefused == 1)
  }

  @Test func aLeapLetsOneCallThroughATrippedBreaker() {
    trip()
    still.advance(by: .seconds(3600))
    let probe = still.pre([.named("a", .fail)])
    #expect(still.pre([.named("a", .fail)]).value??.status.code == .unavailable)
    #expect(asked.count == 6 && probe.value == nil)
  }

  @Test func aLeapRepeatsEachOwedCallOnceAndTheOneFirstThatIsDueFirst() throws {
    still.rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    let objects = ["c3", "c1", "c2"]
    for object in objects {
      _ = still.postStop([.named("a", .fail)], object: object)
      still.advance(by: .milliseconds(300))
    }
    still.advance(by: .seconds(20))
    #expect(try still.toldContainers == objects + objects)
    still.advance(by: .seconds(3600))
    #expect(try still.toldContainers == objects + objects + objects)
    #expect(counters.owed == 0 && counters.owedDropped == 3)
    still.advance(by: .seconds(3600))
    #expect(asked.count == 9)
  }

  // MARK: The clock runs backwards

  @Test func aClockThatIsSetBackProlongsNoDeadline() {
    still.rig.transport.plugin("a") { [clock = still.rig.clock] _ in
      try? await clock.sleep(for: .seconds(4))
      return []
    }
    still.rig.transport.plugin("b", hangsOn: still.rig.clock)
    let call = still.pre([.named("a"), .named("b"), .named("c", .fail)], within: .seconds(6))
    still.advance(by: .seconds(2))
    // Of the two seconds that pass until the answer, the clock has shown one when it is set back.
    still.advance(by: .seconds(1))
    _ = still.rig.dispatcher.clock.now
    still.rig.clock.set(by: .seconds(-3600))
    _ = still.rig.dispatcher.clock.now
    still.advance(by: .seconds(1))
    #expect(asked.map(\.timeout) == [.seconds(5), .seconds(2)])
    still.advance(by: .seconds(2))
    #expect(call.value??.status.code == .deadlineExceeded)
    #expect(asked.count == 2)
  }

  @Test func aClockThatRunsBackwardsGivesNoCallMoreThanItsTimeout() {
    for name in ["a", "b"] { still.rig.transport.plugin(name, hangsOn: still.rig.clock) }
    let call = still.pre([.named("a", timeout: .seconds(2)), .named("b")], within: .seconds(4))
    still.advance(by: .seconds(2), showing: .seconds(-2))
    still.advance(by: .seconds(4), showing: .seconds(-4))
    #expect(call.value != nil)
    #expect(asked.map(\.timeout) == [.seconds(2), .seconds(4)])
  }

  @Test func aClockThatIsSetBackKeepsNoBreakerOpen() {
    trip()
    still.advance(by: .seconds(2))
    #expect(still.pre([.named("a", .fail)]).value??.status.code == .unavailable)
    still.rig.clock.set(by: .seconds(-3600))
    #expect(still.pre([.named("a", .fail)]).value??.status.code == .unavailable)
    still.advance(by: .seconds(3) - .nanoseconds(1))
    #expect(still.pre([.named("a", .fail)]).value??.status.code == .unavailable)
    still.advance(by: .nanoseconds(1))
    _ = still.pre([.named("a")])
    #expect(asked.count == 6)
  }

  @Test func aClockThatIsSetBackOrRunsBackwardsChangesNothingForAnOwedCall() {
    owesOneCall { pause in
      still.rig.clock.set(by: .seconds(-3600))
      still.advance(by: pause, showing: pause * -1)
    }
  }

  @Test func aClockThatIsSetBackDelaysNoAnswerToKubelet() {
    still.rig.transport.plugin("a", hangsOn: still.rig.clock)
    let stop = still.postStop([.named("a", .fail, timeout: .seconds(60))], object: "c1", answerWithin: .seconds(10))
    still.rig.clock.set(by: .seconds(-3600))
    still.advance(by: .seconds(10) - .nanoseconds(1))
    #expect(stop.value == nil)
    still.advance(by: .nanoseconds(1))
    #expect(stop.value != nil)
    #expect(counters.owed == 0 && asked.count == 1)
  }

  // MARK: The clock does anything

  @Test(arguments: (0..<20).map { _ in UInt64.random(in: .min ... .max) })
  func whateverTheClockDoesAnOwedCallIsNeitherLostNorToldTwice(seed: UInt64) throws {
    var random = SplitMix(seed)
    still.rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    let objects = (0..<20).map { "c\($0)" }
    for object in objects {
      _ = still.postStop([.named("a", .fail)], object: object)
      // Forward by less than the ten minutes for which a call is owed, in all.
      let passing = Duration.milliseconds(Int.random(in: 0...5000, using: &random))
      still.advance(by: passing, showing: passing * Int.random(in: -1000...2, using: &random))
    }
    #expect(counters.owed == objects.count, "seed \(seed)")
    let failed = asked.count
    still.rig.transport.plugin("a", answers: [])
    while counters.owed > 0 {
      let before = counters.owed
      still.advance(by: .seconds(30), showing: .seconds(Int64.random(in: -3600...0, using: &random)))
      #expect(counters.owed < before, "seed \(seed)")
      for object in objects { _ = still.postStop([.named("a", .fail)], object: object) }
    }
    #expect(try still.toldContainers.dropFirst(failed).sorted() == objects.sorted(), "seed \(seed)")
    #expect(counters.owedDropped == 0, "seed \(seed)")
  }

  @Test(arguments: [Int64.max, .max / 2, -1, .min / 2, .min])
  func theLongestLeapsThereAreTrapNothing(leap: Int64) {
    still.rig.transport.plugin("a", hangsOn: still.rig.clock)
    still.rig.transport.plugin("b", fails: .socketUnavailable("absent"))
    for _ in 0..<10 {
      let call = still.pre([.named("a"), .named("b")], within: .seconds(60))
      let stop = still.postStop([.named("b", .fail)], object: "c", answerWithin: .seconds(-1))
      still.rig.clock.set(by: .seconds(leap))
      still.advance(by: .seconds(60))
      still.rig.clock.set(by: .seconds(-1 - leap))
      still.advance(by: .seconds(60))
      #expect(call.value != nil && stop.value != nil)
    }
    #expect(asked.allSatisfy { $0.timeout > .zero && $0.timeout <= .seconds(5) })
  }

  /// A call that is owed for 10 minutes while `pass` lets them pass.
  private func owesOneCall(_ pass: (Duration) -> Void) {
    still.rig.transport.plugin("a", fails: .socketUnavailable("absent"))
    _ = still.postStop([.named("a", .fail)], object: "c1")
    for (count, pause) in ([1, 2, 4, 8, 16] + Array(repeating: 30, count: 18) + [29]).enumerated() {
      pass(.seconds(pause) - .nanoseconds(1))
      #expect(asked.count == count + 1)
      // Nothing else waits for the clock, and nothing is done without waiting.
      #expect(still.rig.clock.sleeperCount == 1)
      pass(.nanoseconds(1))
      #expect(asked.count == count + 2)
    }
    #expect(counters.owed == 0 && counters.owedDropped == 1)
    #expect(still.rig.clock.sleeperCount == 0)
  }

  /// Five deadlines in a row of plugin `a`.
  private func trip() {
    still.rig.transport.plugin("a", hangsOn: still.rig.clock)
    for _ in 0..<5 {
      _ = still.pre([.named("a")])
      still.advance(by: .seconds(5))
    }
  }
}
