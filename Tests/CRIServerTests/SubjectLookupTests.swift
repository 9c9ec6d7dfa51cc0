import CRIServer
import GRPC
import HookMessages
import Logging
import Store
import SwiftProtobuf
import Testing

@Suite struct SubjectLookupTests {
  let store = Store()
  let runtime = FakeRuntime(pods: ["p1"], containers: ["c1": "p1"])

  private var lookup: SubjectLookup {
    SubjectLookup(store: store, runtime: runtime, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test func whatTheStoreKnowsIsNotAskedFor() async throws {
    store.insertPod(PodRecord(.with { $0.labels = ["mine": "1"] }, changes: nil), id: "p1")
    store.insertContainer(ContainerRecord(podSandboxID: "p1", .with { $0.containerMeta.id = "c1" }))
    #expect(await lookup.pod("p1").record?.request.labels == ["mine": "1"])
    let subject = try #require(await lookup.container("c1").record)
    #expect(subject.hookRequest == store.hookRequest(ofContainer: "c1"))
    #expect(runtime.asked.isEmpty)
  }

  @Test func aMissIsAskedForOnceAndRemembered() async throws {
    #expect(await lookup.pod("p1").record?.request.labels == ["pod": "p1"])
    #expect(await lookup.pod("p1").record?.request.labels == ["pod": "p1"])
    #expect(runtime.asked == ["p1"])
  }

  @Test func aContainerThatIsMissedBringsItsPod() async throws {
    let subject = try #require(await lookup.container("c1").record)
    #expect(subject.container.podSandboxID == "p1")
    #expect(subject.hookRequest.podLabels == ["pod": "p1"])
    #expect(subject.hookRequest.podCgroupParent == "/own")
    #expect(runtime.asked == ["c1", "p1"])
  }

  @Test func thePodOfAContainerIsFoundInTheListIfTheStatusDoesNotTellIt() async throws {
    runtime.change { $0.answersTellThePod = false }
    #expect(await lookup.container("c1").record?.container.podSandboxID == "p1")
    #expect(runtime.asked == ["c1", "list containers", "p1"])
  }

  @Test func whatTheRuntimeDoesNotKnowIsGone() async throws {
    store.insertPod(PodRecord(.init(), changes: nil), id: "p2")
    store.markStale(.pod("p2"))
    #expect(await lookup.pod("p2").isGone)
    #expect(store.pod("p2") == nil)
    #expect(await lookup.container("c2").isGone)
  }

  @Test func aContainerWhosePodIsGoneIsGone() async throws {
    store.insertContainer(ContainerRecord(podSandboxID: "p2", .with { $0.containerMeta.id = "c2" }))
    #expect(await lookup.container("c2").isGone)
  }

  @Test func whatIsRemovedDuringTheLookUpIsGone() async throws {
    runtime.change { [store] in $0.meanwhile["c1"] = { store.remove(.container("c1")) } }
    #expect(await lookup.container("c1").isGone)
  }

  @Test func aStaleRecordIsReadAnew() async throws {
    store.insertPod(PodRecord(.with { $0.labels = ["mine": "1"] }, changes: nil), id: "p1")
    store.markStale(.pod("p1"))
    let record = try #require(await lookup.pod("p1").record)
    #expect(record.request.labels == ["pod": "p1"] && !record.isStale)
  }

  @Test func aStaleRecordThatCannotBeReadIsUsedAsItIs() async throws {
    store.insertPod(PodRecord(.with { $0.labels = ["mine": "1"] }, changes: nil), id: "p1")
    store.markStale(.pod("p1"))
    runtime.change { $0.failures = ["p1": Status(.unavailable, "down")] }
    let record = try #require(await lookup.pod("p1").record)
    #expect(record.request.labels == ["mine": "1"] && record.isStale)
  }

  @Test func aMissThatCannotBeReadIsUnknownAndSaysWhy() async throws {
    runtime.change { $0.failures = ["p1": Status(.unavailable, "down")] }
    #expect(await lookup.pod("p1").reason == "status of pod sandbox p1: UNAVAILABLE: down")
    #expect(await lookup.container("c1").reason == "status of pod sandbox p1: UNAVAILABLE: down")
  }

  @Test func aLookUpWithoutTimeLeftIsUnknown() async throws {
    #expect(
      await lookup.pod("p1", timeout: .zero).reason == "status of pod sandbox p1: DEADLINE_EXCEEDED: no time is left")
  }

  @Test func theBeginningOfAnIDFindsTheWholeOne() async throws {
    runtime.change { $0.containers = ["c1234": "p1"] }
    #expect(await lookup.container("c12").record?.container.id == "c1234")
    #expect(store.containerIDs == ["c1234"])
  }
}

extension LookedUp {
  fileprivate var record: Record? { if case .known(let record) = self { record } else { nil } }
  fileprivate var isGone: Bool { if case .gone = self { true } else { false } }
  fileprivate var reason: String? { if case .unknown(let reason) = self { reason } else { nil } }
}
