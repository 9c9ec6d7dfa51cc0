import PluginsManager
import Testing

@testable import RuntimeDispatcher

@Suite struct StopLedgerTests {
  @Test func thousandsAreOwedAndThenTheOldestIsDropped() throws {
    var ledger = StopLedger()
    var first: StopLedger.Claim?
    for number in 0..<StopLedger.owedLimit {
      let claim = try claim(&ledger, "c\(number)")
      first = first ?? claim
      let dropped = ledger.owe(claim)
      #expect(dropped == nil)
    }
    let dropped = ledger.owe(try claim(&ledger, "one more"))
    #expect(dropped == first)
    #expect(ledger.owedCount == StopLedger.owedLimit)
    #expect(first.map(ledger.isOpen) == false)
    // It may be begun anew.
    _ = try claim(&ledger, "c0")
  }

  @Test func aSuccessAfterTheRemovalIsNotRemembered() throws {
    var ledger = StopLedger()
    let late = try claim(&ledger, "c1")
    ledger.forget(objectID: "c1")
    #expect(ledger.isOpen(late))
    ledger.succeed(late)
    _ = try claim(&ledger, "c1")
  }

  @Test func aDroppedClaimCannotTouchItsSuccessor() throws {
    var ledger = StopLedger()
    let dropped = try claim(&ledger, "c1")
    ledger.end(dropped)
    let successor = try claim(&ledger, "c1")
    ledger.succeed(dropped)
    ledger.end(dropped)
    #expect(ledger.isOpen(successor))
  }

  @Test func successesAreRememberedUpToALimitAndTheOlderHalfIsForgotten() throws {
    var ledger = StopLedger()
    for number in 0...StopLedger.successLimit { ledger.succeed(try claim(&ledger, "c\(number)")) }
    _ = try claim(&ledger, "c0")
    let recent = ledger.claim("a", .postStopContainer, objectID: "c\(StopLedger.successLimit)")
    #expect(recent == nil)
  }

  @Test func hookPointsAndPluginsAreApart() throws {
    var ledger = StopLedger()
    ledger.succeed(try claim(&ledger, "x"))
    let otherPoint = ledger.claim("a", .postStopPodSandbox, objectID: "x")
    let otherPlugin = ledger.claim("b", .postStopContainer, objectID: "x")
    #expect(otherPoint != nil && otherPlugin != nil)
  }

  private func claim(_ ledger: inout StopLedger, _ objectID: String) throws -> StopLedger.Claim {
    let claim = ledger.claim("a", .postStopContainer, objectID: objectID)
    return try #require(claim)
  }
}
