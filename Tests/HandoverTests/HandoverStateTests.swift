import Handover
import Testing

@Suite struct HandoverStateTests {
  @Test func goesFromRequestToTheLastCall() {
    var state = HandoverState()
    #expect(state.requested(oldProcesses: 0) == .start)
    #expect(state.greeted(version: HandoverState.version) == .offer)
    #expect(state.served() == .finish)
    state.released()
    #expect(state.phase == .released)
    #expect(state.ended() == .finishAlone)
  }

  @Test func anotherVersionIsCalledOffAndNothingHasHappened() {
    var state = HandoverState()
    _ = state.requested(oldProcesses: 0)
    #expect(state.greeted(version: HandoverState.version + 1) == .callOff(.otherVersion(HandoverState.version + 1)))
    #expect(state == HandoverState())
  }

  @Test func theEndOfTheNewProcessIsNothingWhereverItComes() {
    var state = HandoverState()
    #expect(state.ended() == .nothing)
    _ = state.requested(oldProcesses: 0)
    #expect(state.ended() == .goOn)
    #expect(state == HandoverState())
    _ = state.requested(oldProcesses: 0)
    _ = state.greeted(version: HandoverState.version)
    #expect(state.ended() == .takeBack(hadServed: false))
    #expect(state == HandoverState())
    _ = state.requested(oldProcesses: 0)
    _ = state.greeted(version: HandoverState.version)
    _ = state.served()
    #expect(state.ended() == .takeBack(hadServed: true))
    #expect(state.requested(oldProcesses: 0) == .start)
  }

  @Test func onlyOneUpgradeAtATimeAndOnlyOfTheOneThatServes() {
    var state = HandoverState()
    _ = state.requested(oldProcesses: 0)
    #expect(state.requested(oldProcesses: 0) == .refuse(.busy))
    _ = state.greeted(version: HandoverState.version)
    #expect(state.requested(oldProcesses: 0) == .refuse(.busy))
    _ = state.served()
    #expect(state.requested(oldProcesses: 0) == .refuse(.notServing))
  }

  @Test func aFourthOldProcessIsNotMade() {
    var state = HandoverState()
    #expect(state.requested(oldProcesses: HandoverLimits.oldProcesses) == .refuse(.tooManyOld(3)))
    #expect(state.requested(oldProcesses: HandoverLimits.oldProcesses - 1) == .start)
  }

  @Test func whatDoesNotFitIsIgnored() {
    var state = HandoverState()
    #expect(state.greeted(version: HandoverState.version) == .nothing)
    #expect(state.served() == .nothing)
    state.released()
    #expect(state == HandoverState())
    _ = state.requested(oldProcesses: 0)
    #expect(state.served() == .nothing)
    #expect(state.phase == .starting)
  }
}
