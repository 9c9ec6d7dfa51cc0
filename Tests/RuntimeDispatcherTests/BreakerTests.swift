import Testing

@testable import RuntimeDispatcher

/// Design, "Breaker": the value alone, with instants from here.
@Suite struct BreakerTests {
  private let start = ContinuousClock.now
  private let old = SocketIdentity(device: 1, inode: 1)
  private let new = SocketIdentity(device: 1, inode: 2)

  @Test func fiveDeadlinesInARowTripItFor5Seconds() {
    var breaker = tripped()
    #expect(breaker.isOpen)
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: start + .milliseconds(4999)) == nil)
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(5)) != nil)
  }

  @Test func anAnswerInBetweenStartsTheRowAnew() {
    var breaker = Breaker(pluginVersion: 1, socket: old)
    for outcome in [.deadline, .deadline, .deadline, .deadline, .answered, .deadline] as [Breaker.Outcome] {
      call(&breaker, outcome)
    }
    #expect(!breaker.isOpen)
  }

  @Test func socketErrorsAndShortenedDeadlinesNeverTripItNorBreakTheRow() {
    var breaker = Breaker(pluginVersion: 1, socket: old)
    for _ in 0..<20 { call(&breaker, .neither) }
    #expect(breaker.isSpotless)
    for outcome in [.deadline, .deadline, .neither, .deadline, .deadline, .deadline] as [Breaker.Outcome] {
      call(&breaker, outcome)
    }
    #expect(breaker.isOpen)
  }

  @Test func oneProbeAtATime() throws {
    var breaker = tripped()
    let later = start + .seconds(5)
    let probe = try admitted(breaker.admit(pluginVersion: 1, socket: old, at: later))
    #expect(probe.isProbe)
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: later) == nil)
    breaker.ended(.neither, probe, socket: nil, at: later)
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: later) != nil)
  }

  @Test func anAnsweredProbeClosesIt() throws {
    var breaker = tripped()
    let probe = try admitted(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(5)))
    breaker.ended(.answered, probe, socket: nil, at: start + .seconds(6))
    #expect(breaker.isSpotless)
  }

  @Test func aProbeThatRunsIntoItsDeadlineTripsItAgain() throws {
    var breaker = tripped()
    let probe = try admitted(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(5)))
    breaker.ended(.deadline, probe, socket: old, at: start + .seconds(7))
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(11)) == nil)
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(12)) != nil)
  }

  @Test func callsFromBeforeTheTripDoNotProlongIt() throws {
    var breaker = Breaker(pluginVersion: 1, socket: old)
    let slow = try admitted(breaker.admit(pluginVersion: 1, socket: nil, at: start))
    for _ in 0..<5 { call(&breaker, .deadline) }
    breaker.ended(.deadline, slow, socket: old, at: start + .seconds(4))
    #expect(breaker.admit(pluginVersion: 1, socket: old, at: start + .seconds(5)) != nil)
  }

  @Test func aNewSocketClosesIt() {
    var breaker = tripped()
    #expect(breaker.admit(pluginVersion: 1, socket: new, at: start) != nil)
    #expect(breaker.isSpotless)
  }

  @Test func anAbsentSocketDoesNotCloseIt() {
    var breaker = tripped()
    #expect(breaker.admit(pluginVersion: 1, socket: nil, at: start) == nil)
  }

  @Test func aChangedRegistrationClosesItAndOldCallsDoNotCountAnyMore() throws {
    var breaker = Breaker(pluginVersion: 1, socket: old)
    let before = try admitted(breaker.admit(pluginVersion: 1, socket: nil, at: start))
    for _ in 0..<5 { call(&breaker, .deadline) }
    #expect(breaker.admit(pluginVersion: 2, socket: old, at: start) != nil)
    breaker.ended(.deadline, before, socket: old, at: start)
    #expect(breaker.isSpotless)
  }

  private func admitted(_ pass: Breaker.Pass?) throws -> Breaker.Pass { try #require(pass) }

  private func tripped() -> Breaker {
    var breaker = Breaker(pluginVersion: 1, socket: old)
    for _ in 0..<5 { call(&breaker, .deadline) }
    return breaker
  }

  private func call(_ breaker: inout Breaker, _ outcome: Breaker.Outcome) {
    guard let pass = breaker.admit(pluginVersion: 1, socket: nil, at: start) else { return }
    breaker.ended(outcome, pass, socket: outcome == .deadline ? old : nil, at: start)
  }
}
