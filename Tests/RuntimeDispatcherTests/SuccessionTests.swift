import HookMessages
import PluginsManager
import Synchronization
import Testing

@testable import RuntimeDispatcher

/// PostStop* calls that one dispatcher leaves and another one takes over.
@Suite struct SuccessionTests {
  private let request = ContainerResourceHookRequest.example
  private let plugins = [Plugin.named("a", .fail)]
  private let call = StopCall(plugin: "a", hookPoint: .postStopContainer, objectID: "c1")
  private let lookUp = OwedLookUp(pod: { _ in .gone }, container: { _ in .gone })

  /// Another dispatcher without a wire between.
  private final class Successor: StopSuccessor {
    let dispatcher: RuntimeDispatcher
    let lookUp: OwedLookUp
    let ends = Mutex<[StopEnd]>([])

    init(_ dispatcher: RuntimeDispatcher, _ lookUp: OwedLookUp) {
      self.dispatcher = dispatcher
      self.lookUp = lookUp
    }

    func claims(_ call: StopCall) async -> Bool { dispatcher.claim(call) }

    func ended(_ call: StopCall, _ end: StopEnd) {
      ends.withLock { $0.append(end) }
      dispatcher.ended(call, end, lookUp: lookUp)
    }
  }

  private func take(_ estate: StopEstate, into dispatcher: RuntimeDispatcher) {
    for call in estate.succeeded { dispatcher.inherit(succeeded: call) }
    for call in estate.inProgress { #expect(dispatcher.claim(call)) }
    for owed in estate.owed { dispatcher.inherit(owed, lookUp: lookUp) }
  }

  @Test func aSuccessIsNotRepeatedByTheNextOne() async throws {
    let (old, new) = (Rig(), Rig())
    try await old.running {
      await old.postStop(request, plugins)
      take(old.dispatcher.handOver(to: Successor(new.dispatcher, lookUp)), into: new.dispatcher)
      try await new.running { await new.postStop(request, plugins) }
    }
    #expect(old.transport.asked.count == 1)
    #expect(new.transport.asked.isEmpty)
  }

  @Test func anOwedCallGoesOnWhereItWasAndIsMadeByTheNextOneAlone() async throws {
    let (old, new) = (Rig(), Rig(registrationNow: { _ in .named("a", .fail) }))
    old.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await old.running {
      await old.postStop(request, plugins)
      await old.clock.sleepers(1)
      let estate = old.dispatcher.handOver(to: Successor(new.dispatcher, lookUp))
      #expect(estate.owed.map(\.call) == [call])
      #expect(estate.owed.first?.wait == .seconds(1))
      #expect(estate.owed.first?.delay == .seconds(2))
      #expect(estate.owed.first?.left == .seconds(600))
      #expect(estate.owed.first?.about == .container(request))
      old.dispatcher.handedOver()
      #expect(old.dispatcher.counters.owed == 0)
      try await new.running {
        take(estate, into: new.dispatcher)
        #expect(new.dispatcher.counters.owed == 1)
        await new.clock.sleepers(1)
        new.clock.advance(by: .seconds(1))
        await waitUntil { new.dispatcher.counters.owed == 0 }
      }
      old.clock.advance(by: .seconds(600))
      await old.dispatcher.untilQuiet()
    }
    #expect(old.transport.asked.count == 1)
    #expect(try new.transport.asked.map { try $0.container } == [request])
    #expect(old.dispatcher.counters.owedAtExit == 0)
  }

  @Test func anOfferedCallIsMadeByNobodyUntilItIsDecidedAndByTheOldOneIfItIsTakenBack() async throws {
    let (old, new) = (Rig(), Rig())
    old.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await old.running {
      await old.postStop(request, plugins)
      await old.clock.sleepers(1)
      _ = old.dispatcher.handOver(to: Successor(new.dispatcher, lookUp))
      old.transport.plugin("a", answers: [])
      old.clock.advance(by: .seconds(1))
      // It asks again and again whether it has been decided.
      await old.clock.sleepers(1)
      old.clock.advance(by: Waiting.decision)
      await old.clock.sleepers(1)
      #expect(old.transport.asked.count == 1)
      old.dispatcher.takenBack()
      old.clock.advance(by: Waiting.decision)
      await waitUntil { old.dispatcher.counters.owed == 0 }
    }
    #expect(old.transport.asked.count == 2)
    #expect(new.transport.asked.isEmpty)
  }

  @Test func whatFailsAfterTheHandoverIsOwedByTheNextOne() async throws {
    let (old, new) = (Rig(), Rig(registrationNow: { _ in .named("a", .fail) }))
    let successor = Successor(new.dispatcher, lookUp)
    old.transport.plugin("a", fails: .socketUnavailable("absent"))
    try await old.running {
      try await new.running {
        take(old.dispatcher.handOver(to: successor), into: new.dispatcher)
        old.dispatcher.handedOver()
        await old.postStop(request, plugins)
        await old.dispatcher.untilQuiet()
        #expect(old.dispatcher.counters.owed == 0)
        #expect(new.dispatcher.counters.owed == 1)
        await new.clock.sleepers(1)
        new.clock.advance(by: .seconds(1))
        await waitUntil { new.dispatcher.counters.owed == 0 }
      }
    }
    #expect(new.transport.asked.count == 1)
  }

  @Test func theNextOnesLedgerDecidesWhoIsTold() async throws {
    let (old, new) = (Rig(), Rig())
    let successor = Successor(new.dispatcher, lookUp)
    try await old.running {
      try await new.running {
        take(old.dispatcher.handOver(to: successor), into: new.dispatcher)
        old.dispatcher.handedOver()
        await new.postStop(request, plugins)
        await old.postStop(request, plugins)
        #expect(old.transport.asked.isEmpty)
        await old.postStop(request, plugins, object: "c2")
        await new.postStop(request, plugins, object: "c2")
      }
    }
    #expect(new.transport.asked.count == 1)
    #expect(old.transport.asked.count == 1)
    #expect(successor.ends.withLock { $0 } == [.succeeded])
  }

  @Test func breakersGoOnIfTheSocketIsTheSame() {
    let now = ContinuousClock.now
    let socket = SocketIdentity(device: 1, inode: 2)
    var open = Breaker(pluginVersion: 0, socket: socket)
    for _ in 0..<Breaker.deadlinesToTrip {
      if let pass = open.admit(pluginVersion: 0, socket: socket, at: now) {
        open.ended(.deadline, pass, socket: socket, at: now)
      }
    }
    let state = open.state(of: "a", at: now + .seconds(2))
    #expect(state == BreakerState(plugin: "a", state: .open(left: .seconds(3), since: .seconds(2)), socket: socket))
    var resumed = Breaker(resuming: state, pluginVersion: 9, at: now)
    #expect(resumed.trippedAt == now - .seconds(2))
    #expect(resumed.admit(pluginVersion: 9, socket: socket, at: now + .seconds(2)) == nil)
    #expect(resumed.admit(pluginVersion: 9, socket: socket, at: now + .seconds(3))?.isProbe == true)
  }

  @Test func whatAnotherProcessSaysCannotOutlastTheLimits() {
    let now = ContinuousClock.now
    let owed = OwedCall(call: call, about: .unknown(""), wait: .zero, delay: .seconds(9999), left: .seconds(9999))
    var schedule = OwedSchedule(resuming: owed, at: now)
    #expect(schedule.end == now + OwedSchedule.limit)
    #expect(schedule.next(afterFailureAt: now) == now + OwedSchedule.longestDelay)
    let state = BreakerState(plugin: "a", state: .open(left: .seconds(9999), since: .seconds(-1)), socket: nil)
    let breaker = Breaker(resuming: state, pluginVersion: 0, at: now)
    #expect(breaker.state(of: "a", at: now).state == .open(left: Breaker.pause, since: .zero))
  }

  /// Gives the other tasks turns until it is so.
  private func waitUntil(_ isSo: () -> Bool) async {
    while !isSo() { await Task.yield() }
  }
}
