import GRPC
import HookMessages
import Logging
import Store
import SwiftProtobuf
import Testing

@testable import CRIServer

@Suite struct StoreRebuildTests {
  let store = Store()
  let runtime = FakeRuntime(pods: ["p1", "p2"], containers: ["c1": "p1", "c2": "p2"])

  private func rebuild() async throws(Status) -> StoreRebuild.Counts {
    try await StoreRebuild(
      store: store, runtime: runtime, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    .run()
  }

  @Test func readsEverythingIntoAnEmptyStore() async throws {
    let counts = try await rebuild()
    #expect(counts == .init(read: 4))
    #expect(Set(store.podIDs) == ["p1", "p2"] && Set(store.containerIDs) == ["c1", "c2"])
    let request = try #require(store.hookRequest(ofContainer: "c2"))
    #expect(request.podLabels == ["pod": "p2"] && request.containerMeta.id == "c2")
    #expect(request.podCgroupParent == "/own")
  }

  @Test func leavesFreshRecordsAloneAndReplacesStaleOnes() async throws {
    store.insertPod(PodRecord(.with { $0.labels = ["mine": "1"] }, changes: .init()), id: "p1")
    store.insertPod(PodRecord(.with { $0.labels = ["mine": "2"] }, changes: .init()), id: "p2")
    store.markStale(.pod("p2"))
    let counts = try await rebuild()
    #expect(counts == .init(read: 3))
    #expect(store.pod("p1")?.request.labels == ["mine": "1"])
    #expect(store.pod("p2")?.request.labels == ["pod": "p2"])
    #expect(!runtime.asked.contains("p1"))
  }

  @Test func removesWhatTheRuntimeDoesNotList() async throws {
    store.insertPod(PodRecord(.init(), changes: nil), id: "old")
    store.insertContainer(ContainerRecord(podSandboxID: "old", .with { $0.containerMeta.id = "older" }))
    #expect(try await rebuild().removed == 2)
    #expect(store.pod("old") == nil && store.container("older") == nil)
  }

  @Test func objectsThatGoMeanwhileAreNotFailures() async throws {
    runtime.change { $0.failures = ["c1": Status(.notFound, "gone")] }
    #expect(try await rebuild() == .init(read: 3, gone: 1))
    #expect(store.container("c1") == nil)
  }

  @Test func aRemovalThatOvertakesAnAnswerStands() async throws {
    runtime.change { [store] in $0.meanwhile["c1"] = { store.remove(.container("c1")) } }
    #expect(try await rebuild() == .init(read: 3, gone: 1))
    #expect(store.container("c1") == nil)
  }

  @Test func aStatusThatFailsCostsNothingButItself() async throws {
    runtime.change { $0.failures = ["p1": Status(.unavailable, "busy")] }
    #expect(try await rebuild() == .init(read: 3, failed: 1))
    #expect(store.pod("p1") == nil && store.container("c1") != nil)
  }

  @Test(arguments: ["list pods", "list containers"])
  func aListThatFailsEndsTheRebuildAndChangesNothing(list: String) async {
    store.insertPod(PodRecord(.init(), changes: nil), id: "old")
    runtime.change { $0.failures = [list: Status(.unavailable, "down")] }
    await #expect(throws: Status(.unavailable, "down")) { try await rebuild() }
    #expect(store.podIDs == ["old"])
  }

  @Test func asksForFourStatusesAtATime() async throws {
    runtime.change {
      $0.pods.formUnion((0..<12).map { "pod\($0)" })
      $0.companions = 4
    }
    #expect(try await rebuild().read == 16)
    #expect(runtime.mostInFlight == 4)
  }
}
