import GRPC
import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// Every way to fail, under both policies, at the three shapes of hook points, against a table written from
/// the design. Three plugins: `a` sets cpu_quota to 1, `b` fails (its answer, where it has one, also sets
/// cpu_shares to 7), `c` sets cpu_period to 3.
@Suite struct FailureTableTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let failure: String
    /// What kubelet gets under Fail, from a Pre hook and from PostStartContainer.
    let code: StatusCode
    /// Under Ignore: whether the rest of b's answer takes effect.
    let keepsRest: Bool
    /// Whether PostStop* sees a failure at all, so that b is owed the call under Fail.
    let failsStop: Bool
    /// Makes b fail so.
    let b: @Sendable (Rig) async throws -> Void
    var testDescription: String { failure }
  }

  static let table: [Row] = [
    Row(failure: "absent socket", code: .unavailable, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .socketUnavailable("absent"))
    },
    Row(failure: "wrong owner", code: .failedPrecondition, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .wrongOwner(uid: 1000))
    },
    Row(failure: "deadline", code: .deadlineExceeded, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .deadlineExceeded(.seconds(5)))
    },
    Row(failure: "broken connection", code: .unavailable, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .connectionBroken("reset"))
    },
    Row(failure: "two messages", code: .internalError, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .badAnswer("two messages"))
    },
    Row(failure: "own code ABORTED", code: .aborted, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .status(Status(.aborted, "no")))
    },
    Row(failure: "own code UNIMPLEMENTED", code: .failedPrecondition, keepsRest: false, failsStop: true) {
      $0.transport.plugin("b", fails: .status(Status(.unimplemented, "no")))
    },
    Row(failure: "undecodable", code: .internalError, keepsRest: false, failsStop: false) {
      $0.transport.plugin("b", answers: [0x0A, 0xFF])
    },
    Row(failure: "forbidden change", code: .failedPrecondition, keepsRest: true, failsStop: false) {
      try $0.transport.plugin("b", answers: rest { $0.podCgroupParent = "/elsewhere" })
    },
    Row(failure: "conflict", code: .failedPrecondition, keepsRest: true, failsStop: false) {
      try $0.transport.plugin("b", answers: rest { $0.containerResources.cpuQuota = 2 })
    },
    Row(failure: "tripped", code: .unavailable, keepsRest: false, failsStop: true) { rig in
      rig.transport.plugin("b", fails: .deadlineExceeded(.seconds(5)))
      for _ in 0..<5 { _ = try await rig.pre(.preStartContainer, container, [.named("b")]) }
      try rig.transport.plugin("b", answers: rest { _ in })
    },
  ]

  @Test(arguments: table) func preUnderFail(row: Row) async throws {
    let rig = try await rig(row)
    let refusal = await #expect(throws: Refusal.self) {
      _ = try await rig.pre(.preStartContainer, Self.container, plugins(.fail))
    }
    #expect(refusal?.status.code == row.code)
    #expect(refusal?.status.message.hasPrefix("hook server err: b: PreStartContainer: ") == true)
    #expect(!rig.transport.askedPlugins.contains("c"))
  }

  @Test(arguments: table) func preUnderIgnore(row: Row) async throws {
    let rig = try await rig(row)
    let changes = try await rig.pre(.preStartContainer, Self.container, plugins(.ignore)).changes
    expectOthersAndRest(changes, row)
  }

  @Test(arguments: table) func postStartUnderFail(row: Row) async throws {
    let rig = try await rig(row)
    try await rig.running {
      let refusal = await #expect(throws: Refusal.self) { _ = try await rig.postStart(Self.container, plugins(.fail)) }
      #expect(refusal?.status.code == row.code)
      #expect(refusal?.status.message.hasPrefix("hook server err: b: PostStartContainer: ") == true)
    }
    #expect(rig.transport.askedPlugins.contains("c"))
  }

  @Test(arguments: table) func postStartUnderIgnore(row: Row) async throws {
    let rig = try await rig(row)
    try await rig.running {
      expectOthersAndRest(try await rig.postStart(Self.container, plugins(.ignore)).changes, row)
    }
  }

  @Test(arguments: table) func postStopUnderFail(row: Row) async throws {
    let rig = try await rig(row)
    try await rig.running {
      await rig.postStop(Self.container, plugins(.fail))
      #expect(rig.dispatcher.counters.owed == (row.failsStop ? 1 : 0))
    }
    #expect(rig.transport.askedPlugins.contains("c"))
  }

  @Test(arguments: table) func postStopUnderIgnore(row: Row) async throws {
    let rig = try await rig(row)
    let ignoredBefore = rig.dispatcher.counters.failuresIgnored
    try await rig.running {
      await rig.postStop(Self.container, plugins(.ignore))
      #expect(rig.dispatcher.counters.owed == 0)
    }
    #expect(rig.dispatcher.counters.failuresIgnored - ignoredBefore == (row.failsStop ? 1 : 0))
    #expect(rig.transport.askedPlugins.contains("c"))
  }

  private func expectOthersAndRest(_ changes: [OwnedChange], _ row: Row) {
    let rest = Change(.resource(.cpuShares), .number(7))
    let others = changes.filter { $0.plugin.name != "b" }.map(\.change)
    #expect(others == [Change(.resource(.cpuQuota), .number(1)), Change(.resource(.cpuPeriod), .number(3))])
    #expect(changes.filter { $0.plugin.name == "b" }.map(\.change) == (row.keepsRest ? [rest] : []))
  }

  private func plugins(_ policy: FailurePolicy) -> [Plugin] {
    [.named("a", policy), .named("b", policy), .named("c", policy)]
  }

  private static let container = ContainerResourceHookRequest.with { $0.podMeta.namespace = "shop" }

  private static func rest(
    _ more: (inout ContainerResourceHookResponse) -> Void
  ) -> ContainerResourceHookResponse {
    var answer = cpuShares(7)
    more(&answer)
    return answer
  }

  private func rig(_ row: Row) async throws -> Rig {
    let rig = Rig()
    try rig.transport.plugin("a", answers: ContainerResourceHookResponse.with { $0.containerResources.cpuQuota = 1 })
    try rig.transport.plugin("c", answers: ContainerResourceHookResponse.with { $0.containerResources.cpuPeriod = 3 })
    try await row.b(rig)
    return rig
  }
}
