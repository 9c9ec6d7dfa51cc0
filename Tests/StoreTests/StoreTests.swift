import Glibc
import HookMessages
import Store
import SwiftProtobuf
import Synchronization
import Testing

@Suite struct StoreTests {
  let store = Store()

  @Test func givesBackAPodAsItWasInserted() {
    let record = PodRecord(.sample, changes: .with { $0.labels = ["plugin": "yes"] })
    store.insertPod(record, id: "pod")
    #expect(store.pod("pod") == record)
    #expect(store.podIDs == ["pod"])
    #expect(store.pod("other") == nil)
  }

  @Test func tellsNoRecordedChangesFromUnknownOnes() {
    store.insertPod(PodRecord(.sample, changes: .init()), id: "run")
    store.insertPod(PodRecord(.sample, changes: nil), id: "read")
    #expect(store.pod("run")?.changes == PodSandboxHookResponse())
    #expect(store.pod("read")?.changes == nil)
  }

  @Test func givesBackAContainerAsItWasInserted() {
    let record = ContainerRecord(podSandboxID: "pod", .sample)
    store.insertContainer(record)
    #expect(store.container("container") == record)
    #expect(store.containerIDs == ["container"])
  }

  @Test func composesAHookRequestOfAContainerAndItsPod() throws {
    store.insertPod(PodRecord(.sample, changes: nil), id: "pod")
    store.insertContainer(ContainerRecord(podSandboxID: "pod", .sample))
    let request = try #require(store.hookRequest(ofContainer: "container"))
    #expect(request.podMeta == PodSandboxHookRequest.sample.podMeta)
    #expect(request.podLabels == ["app": "web"])
    #expect(request.podAnnotations == ["team": "blue"])
    #expect(request.podCgroupParent == "/kubepods/pod1")
    #expect(request.podResources.cpuShares == 1024)
    #expect(request.containerMeta.id == "container")
    #expect(request.containerEnvs == ["MODE": "fast"])
  }

  @Test func aContainersOwnCgroupParentGoesBeforeItsPods() {
    store.insertPod(PodRecord(.sample, changes: nil), id: "pod")
    var own = ContainerResourceHookRequest.sample
    own.podCgroupParent = "/batch"
    store.insertContainer(ContainerRecord(podSandboxID: "pod", own))
    #expect(store.hookRequest(ofContainer: "container")?.podCgroupParent == "/batch")
  }

  @Test func composesNothingWithoutThePod() {
    store.insertContainer(ContainerRecord(podSandboxID: "pod", .sample))
    #expect(store.hookRequest(ofContainer: "container") == nil)
  }

  @Test func thePodsFieldsAreLeftOutOfAContainersRecord() {
    let whole = ContainerResourceHookRequest.sample.filled(from: .sample)
    #expect(whole.withoutPod(.sample) == .sample)
    var own = whole
    own.podCgroupParent = "/batch"
    #expect(own.withoutPod(.sample).podCgroupParent == "/batch")
  }

  @Test func anUpdateOverlaysResourcesAndAnnotations() {
    store.insertContainer(ContainerRecord(podSandboxID: "pod", .sample))
    store.updateContainer(
      "container", resources: .with { $0.cpuQuota = -1 }, annotations: ["size": "large", "new": "1"])
    let request = store.container("container")?.request
    #expect(request?.containerResources.cpuQuota == -1)
    #expect(request?.containerResources.cpuShares == 512)
    #expect(request?.containerAnnotations == ["size": "large", "new": "1"])
  }

  @Test func anUpdateByTheBeginningOfAnIDCounts() {
    let id = String(repeating: "7", count: 64)
    store.insertContainer(ContainerRecord(podSandboxID: "pod", .with { $0.containerMeta.id = id }))
    store.updateContainer("777", resources: .with { $0.cpuShares = 7 })
    #expect(store.container(id)?.request.containerResources.cpuShares == 7)
  }

  @Test func anUpdateOfAPodOverlaysItsResources() {
    store.insertPod(PodRecord(.sample, changes: nil), id: "pod")
    store.updatePod("pod", resources: .with { $0.memoryLimitInBytes = 1 << 30 })
    let request = store.pod("pod")?.request
    #expect(request?.resources.memoryLimitInBytes == 1 << 30)
    #expect(request?.resources.cpuShares == 1024)
    #expect(request?.hasOverhead == false)
  }

  @Test func anUpdateOfWhatIsBeingReadMakesTheAnswerStale() {
    let token = store.beginReading()
    store.updateContainer("container", resources: .with { $0.cpuShares = 2 })
    store.rememberContainer(ContainerRecord(podSandboxID: "pod", .sample), from: token)
    store.endReading(token)
    #expect(store.container("container")?.isStale == true)
    #expect(store.needingReading([.container("container")]) == [.container("container")])
  }

  @Test func noUpdateIsLostWhenManyComeAtOnce() async {
    store.insertContainer(ContainerRecord(podSandboxID: "pod", .sample))
    await withTaskGroup { group in
      for key in 0..<64 {
        group.addTask { [store] in store.updateContainer("container", annotations: ["key\(key)": "set"]) }
      }
    }
    #expect(store.container("container")?.request.containerAnnotations.count == 65)
  }

  @Test func reportsThatWaitAreMadeInOrderBeforeAnybodyLooks() {
    let store = store
    var waiting = store.later { $0.insertContainer(ContainerRecord(podSandboxID: "pod", .sample)) }
    #expect(waiting == 1)
    waiting = store.later { $0.updateContainer("container", annotations: ["first": "1"]) }
    #expect(waiting == 2)
    #expect(store.container("container")?.request.containerAnnotations["first"] == "1")
    waiting = store.later { $0.remove(RecordID.container("container")) }
    #expect(waiting == 1)
    store.catchUp()
    #expect(store.containerIDs.isEmpty)
  }

  @Test func whetherThereAreRecordedChangesWaitsForWhatMayRecordThem() {
    let store = Store()
    let isMade = Mutex(false)
    _ = store.later { _ in isMade.withLock { $0 = true } }
    #expect(!store.hasRecordedChanges)
    #expect(!isMade.withLock { $0 })
    let record = PodRecord(.sample, changes: .with { $0.labels = ["plugin": "yes"] })
    _ = store.later(mayRecordChanges: true) { $0.insertPod(record, id: "pod") }
    #expect(store.hasRecordedChanges)
    #expect(isMade.withLock { $0 })
  }

  @Test func whoeverLooksWhileReportsAreMadeSeesThemMade() async {
    for _ in 0..<64 {
      let store = Store()
      let isMaking = Mutex(false)
      _ = store.later { store in
        isMaking.withLock { $0 = true }
        // What a report takes: the other thread has time to look before it is made.
        for _ in 0..<16 { sched_yield() }
        store.insertContainer(ContainerRecord(podSandboxID: "pod", .sample))
      }
      async let made: Void = store.catchUp()
      while !isMaking.withLock({ $0 }) { await Task.yield() }
      #expect(store.containerIDs == ["container"])
      await made
    }
  }

  @Test func reportsThatWaitAreMadeBeforeAReadingBegins() {
    let store = store
    _ = store.later { $0.insertContainer(ContainerRecord(podSandboxID: "pod", .sample)) }
    let token = store.beginReading()
    #expect(store.removeUnlisted([], from: token) == 1)
    store.endReading(token)
  }
}
