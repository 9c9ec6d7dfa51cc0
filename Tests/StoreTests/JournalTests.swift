import HookMessages
import SwiftProtobuf
import Synchronization
import Testing

@testable import Store

/// What another process is told of a Store makes its own Store the same.
@Suite struct JournalTests {
  private let pod = PodRecord(.sample, changes: .with { $0.annotations = ["plugin": "was here"] })
  private let container = ContainerRecord(podSandboxID: "pod", .sample)

  private func handOver(_ store: Store) -> Store {
    let other = Store()
    for record in store.beginJournal({}) { other.load(record) }
    return other
  }

  @Test func everyRecordGoesOverAsItIs() {
    let store = Store()
    store.insertPod(pod, id: "pod")
    store.insertContainer(container)
    store.markStale(.container("container"))
    let other = handOver(store)
    #expect(other.pod("pod") == pod)
    #expect(other.container("container")?.request == container.request)
    #expect(other.container("container")?.isStale == true)
    #expect(other.hasRecordedChanges)
  }

  @Test func whatIsReportedLaterFollowsInOrder() {
    let store = Store()
    store.insertPod(pod, id: "pod")
    let other = handOver(store)
    store.insertContainer(container)
    store.updateContainer("container", resources: .with { $0.cpuShares = 7 }, annotations: ["new": "one"])
    store.updatePod("pod", resources: .with { $0.cpuQuota = 9 })
    store.markStale(.pod("pod"))
    for change in store.takeJournal() { other.apply(change) }
    #expect(other.container("container") == store.container("container"))
    #expect(other.pod("pod") == store.pod("pod"))
    store.remove(.pod("pod"))
    for change in store.takeJournal() { other.apply(change) }
    #expect(other.podIDs.isEmpty)
    #expect(other.containerIDs.isEmpty)
    #expect(store.takeJournal().isEmpty)
  }

  @Test func anUpdateKeepsWhatTheOtherStoreKnowsBeside() {
    let store = Store()
    store.insertContainer(container)
    let other = handOver(store)
    other.updateContainer("container", annotations: ["there": "only"])
    store.updateContainer("container", annotations: ["here": "too"])
    for change in store.takeJournal() { other.apply(change) }
    #expect(other.container("container")?.request.containerAnnotations["there"] == "only")
    #expect(other.container("container")?.request.containerAnnotations["here"] == "too")
  }

  @Test func anUpdateOfWhatOnlyTheOtherStoreHasIsSentAllTheSame() {
    let store = Store()
    let other = handOver(store)
    other.insertContainer(container)
    store.updateContainer("container", annotations: ["here": "too"])
    for change in store.takeJournal() { other.apply(change) }
    #expect(other.container("container")?.request.containerAnnotations["here"] == "too")
  }

  @Test func whatComesFromAnotherProcessGoesOnToTheNext() {
    let (first, second) = (Store(), Store())
    let third = handOver(second)
    _ = first.beginJournal {}
    first.insertPod(pod, id: "pod")
    for change in first.takeJournal() { second.apply(change) }
    for change in second.takeJournal() { third.apply(change) }
    #expect(third.pod("pod") == pod)
  }

  @Test func reportsThatWaitAreInTheRecordsOrTheJournal() {
    let store = Store()
    _ = store.later { $0.insertPod(self.pod, id: "before") }
    let other = handOver(store)
    #expect(other.podIDs == ["before"])
    _ = store.later { $0.insertPod(self.pod, id: "after") }
    #expect(store.takeJournal().count == 1)
  }

  @Test func whoKeepsTheJournalIsWokenForEachChangeAndNoMoreAtItsEnd() {
    let store = Store()
    let count = Atomic(0)
    _ = store.beginJournal { count.add(1, ordering: .relaxed) }
    store.insertPod(pod, id: "pod")
    store.remove(.pod("pod"))
    #expect(count.load(ordering: .relaxed) == 2)
    store.endJournal()
    store.insertPod(pod, id: "pod")
    #expect(count.load(ordering: .relaxed) == 2)
    #expect(store.takeJournal().isEmpty)
  }

  @Test func readingsAreNotKept() {
    let store = Store()
    _ = store.beginJournal {}
    let token = store.beginReading()
    store.rememberPod(pod, id: "pod", from: token)
    store.endReading(token)
    #expect(store.takeJournal().isEmpty)
  }

  @Test func allIsDoubtedWhenTheOneThatKnewMoreIsGone() {
    let store = Store()
    store.insertPod(pod, id: "pod")
    store.insertContainer(container)
    store.markAllStale()
    #expect(store.pod("pod")?.isStale == true)
    #expect(store.container("container")?.isStale == true)
  }
}
