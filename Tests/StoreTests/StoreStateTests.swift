import Testing

@testable import Store

/// The rules of the Store, one by one, on the pure value.
@Suite struct StoreStateTests {
  let pod = RecordID.pod("p")
  let container = RecordID.container("c")
  var state = StoreState()

  @Test mutating func removingAPodTakesItsContainersAlong() {
    state.insert(pod, "p", [1])
    state.insert(container, "p", [2])
    state.insert(.container("other"), "q", [3])
    state.remove(pod)
    #expect(Array(state.entries.keys) == [.container("other")])
  }

  @Test mutating func theBeginningOfAnIDMeansTheOneRecordThatBeginsSo() {
    let pod = RecordID.pod(whole("ab"))
    let (first, second) = (RecordID.container(whole("12")), RecordID.container(whole("13")))
    state.insert(pod, pod.objectID, [1])
    state.insert(first, "ab", [2])
    #expect(state.entries[first]?.podSandboxID == pod.objectID)
    state.markStale(.container("1"))
    #expect(state.entries[first]?.isStale == true)
    state.insert(second, "ab", [3])
    for nobody in ["1", "", "ab", "9"] { #expect(state.remove(.container(nobody)).isEmpty) }
    #expect(state.remove(.container("12")) == [first])
    #expect(Set(state.remove(.pod("a"))) == [pod, second])
  }

  @Test mutating func anIDThatIsNotContainerdsHasNoBeginnings() {
    state.insert(.container("1234"), "p", [1])
    #expect(state.remove(.container("12")).isEmpty)
  }

  private func whole(_ beginning: String) -> String { beginning + String(repeating: "0", count: 64 - beginning.count) }

  @Test mutating func replacesABodyOnlyIfNobodyWroteItMeanwhile() throws {
    state.insert(container, "p", [1])
    let seen = try #require(state.entries[container]).written
    let first = state.replaceBody(of: container, with: [2], ifWrittenAt: seen)
    let second = state.replaceBody(of: container, with: [3], ifWrittenAt: seen)
    #expect(first && !second)
    #expect(state.entries[container]?.body == [2])
  }

  @Test mutating func anUpdateLeavesAStaleRecordStale() throws {
    state.insert(container, "p", [1])
    state.markStale(container)
    let seen = try #require(state.entries[container]).written
    let replaced = state.replaceBody(of: container, with: [2], ifWrittenAt: seen)
    #expect(replaced)
    #expect(state.entries[container]?.isStale == true)
  }

  @Test mutating func aReadingAddsAMissingRecord() {
    let token = state.begin()
    state.remember(container, "p", [1], token)
    #expect(state.entries[container]?.body == [1])
    #expect(state.entries[container]?.isStale == false)
  }

  @Test mutating func aReadingLeavesAFreshRecordAlone() {
    state.insert(container, "p", [1])
    let token = state.begin()
    state.remember(container, "p", [2], token)
    #expect(state.entries[container]?.body == [1])
  }

  @Test mutating func aReadingReplacesAStaleRecordAndKeepsItsRecordedChanges() {
    state.insert(pod, podSandboxID: "p", body: [1], changes: [9])
    state.markStale(pod)
    let token = state.begin()
    state.remember(pod, "p", [2], token)
    #expect(state.entries[pod]?.body == [2])
    #expect(state.entries[pod]?.changes == [9])
    #expect(state.entries[pod]?.isStale == false)
  }

  @Test mutating func anAnswerFromBeforeARecordBecameStaleDoesNotFreshenIt() {
    state.insert(container, "p", [1])
    let token = state.begin()
    state.markStale(container)
    state.remember(container, "p", [2], token)
    #expect(state.entries[container]?.body == [1])
    #expect(state.entries[container]?.isStale == true)
  }

  @Test mutating func anAnswerFromBeforeAnEventAboutAMissingRecordComesInAsStale() {
    let token = state.begin()
    state.markStale(container)
    state.remember(container, "p", [1], token)
    #expect(state.entries[container]?.isStale == true)
  }

  @Test mutating func anAnswerFromBeforeARemovalResurrectsNothing() {
    let token = state.begin()
    state.remove(container)
    state.remember(container, "p", [1], token)
    #expect(state.entries.isEmpty)
  }

  @Test mutating func anAnswerFromBeforeAPodsRemovalDoesNotResurrectItsContainers() {
    let token = state.begin()
    state.remove(pod)
    state.remember(container, "p", [1], token)
    #expect(state.entries.isEmpty)
  }

  @Test mutating func anAnswerOfAReadingThatHasEndedIsDropped() {
    let token = state.begin()
    state.end(token)
    state.remember(container, "p", [1], token)
    #expect(state.entries.isEmpty)
  }

  @Test mutating func removesUnlistedRecordsThatExistedBeforeTheReading() {
    state.insert(pod, "p", [1])
    state.insert(.pod("kept"), "kept", [1])
    let token = state.begin()
    state.insert(.pod("new"), "new", [1])
    let removed = state.removeUnlisted([.pod("kept")], from: token)
    #expect(removed == [pod])
    #expect(Set(state.entries.keys) == [.pod("kept"), .pod("new")])
  }

  @Test mutating func countsContainersThatGoWithAnUnlistedPod() {
    state.insert(pod, "p", [1])
    state.insert(container, "p", [1])
    let token = state.begin()
    let removed = state.removeUnlisted([], from: token)
    #expect(Set(removed) == [pod, container])
  }

  @Test mutating func keepsNoTracesWithoutAnOpenReading() {
    state.remove(pod)
    #expect(state.traceCount == 0)
    let first = state.begin()
    state.remove(pod)
    let second = state.begin()
    state.remove(container)
    #expect(state.traceCount == 2)
    state.end(first)
    #expect(state.traceCount == 1)
    state.end(second)
    #expect(state.traceCount == 0)
  }

  @Test mutating func knowsWhetherAPodHasRecordedChanges() {
    #expect(!state.hasRecordedChanges)
    state.insert(pod, podSandboxID: "p", body: [1], changes: [])
    state.insert(container, "p", [2])
    #expect(!state.hasRecordedChanges)
    for _ in 0..<2 { state.insert(pod, podSandboxID: "p", body: [1], changes: [7]) }
    #expect(state.hasRecordedChanges)
    state.markStale(pod)
    let token = state.begin()
    state.remember(pod, "p", [3], token)
    #expect(state.hasRecordedChanges)
    state.remove(pod)
    #expect(!state.hasRecordedChanges)
    state.insert(.pod("q"), podSandboxID: "q", body: [1], changes: [7])
    #expect(state.removeUnlisted([], from: state.begin()) == [.pod("q")])
    #expect(!state.hasRecordedChanges && state.entries.isEmpty)
  }
}

extension StoreState {
  mutating func insert(_ id: RecordID, _ podSandboxID: String, _ body: [UInt8]) {
    insert(id, podSandboxID: podSandboxID, body: body, changes: nil)
  }

  mutating func remember(_ id: RecordID, _ podSandboxID: String, _ body: [UInt8], _ token: ReadingToken) {
    remember(id, podSandboxID: podSandboxID, body: body, changes: nil, from: token)
  }
}
