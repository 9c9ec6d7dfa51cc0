import HandoverMessages
import HookMessages
import PluginsManager
import RuntimeDispatcher
import Store
import SwiftProtobuf
import Testing

@testable import Handover

/// What is said is what is understood.
@Suite struct HandoverMessagesTests {
  private static let record = StoreRecord(
    id: .pod("p"), podSandboxID: "p", body: [1, 2], changes: [], isStale: true)
  private static let resources = LinuxContainerResources.with { $0.cpuShares = 7 }
  private static let call = StopCall(plugin: "a", hookPoint: .postStopContainer, objectID: "c1")

  @Test(arguments: [
    StoreChange.inserted(record),
    .inserted(StoreRecord(id: .container("c"), podSandboxID: "p", body: [1], changes: nil, isStale: false)),
    .updatedPod("p", overhead: resources, resources: .init()),
    .updatedContainer("c", resources: resources, annotations: ["a": "b"]),
    .stale(.container("c")), .removed(.pod("p")),
  ])
  func changes(change: StoreChange) throws {
    let bytes: [UInt8] = try HandoverChange(change).serializedBytes()
    #expect(try HandoverChange(serializedBytes: bytes).storeChange == change)
  }

  @Test(arguments: [
    StopEnd.succeeded, .abandoned,
    .owed(
      OwedCall(call: call, about: .unknown("why"), wait: .seconds(1), delay: .seconds(2), left: .milliseconds(2500))),
    .owed(
      OwedCall(
        call: call, about: .container(.with { $0.containerAnnotations = ["a": "b"] }), wait: .zero, delay: .seconds(30),
        left: .seconds(600))),
    .owed(
      OwedCall(
        call: call, about: .pod(.with { $0.cgroupParent = "/p" }), wait: .zero, delay: .zero, left: .zero)),
  ])
  func ends(end: StopEnd) throws {
    let bytes: [UInt8] = try HandoverStopEntry(Self.call, ended: end).serializedBytes()
    let entry = try HandoverStopEntry(serializedBytes: bytes)
    #expect(entry.call.stopCall == Self.call)
    #expect(entry.end == end)
  }

  @Test func aCallInProgressHasNoEnd() {
    #expect(HandoverStopEntry(Self.call, .inProgress).end == nil)
  }

  @Test(arguments: [
    BreakerState(plugin: "a", state: .closed(deadlinesInARow: 4), socket: nil),
    BreakerState(
      plugin: "a", state: .open(left: .seconds(3), since: .seconds(70)),
      socket: SocketIdentity(device: 1, inode: 2, changedNanoseconds: -3)),
    BreakerState(plugin: "a", state: .open(left: .zero, since: .zero), socket: SocketIdentity(device: 0, inode: 0)),
  ])
  func breakers(breaker: BreakerState) throws {
    let bytes: [UInt8] = try HandoverBreaker(breaker).serializedBytes()
    #expect(try HandoverBreaker(serializedBytes: bytes).breakerState == breaker)
  }

  @Test func whatIsUnknownIsNothing() {
    #expect(HandoverStopCall.with { $0.hookPoint = "PreNothing" }.stopCall == nil)
    #expect(HandoverChange().storeChange == nil)
    #expect(HandoverOwed().owedCall(Self.call) == nil)
    #expect(HandoverStopEntry.with { $0.state = .UNRECOGNIZED(9) }.end == nil)
  }
}
