import Testing

@testable import Store

/// The Store under random schedules, against what the runtime really has.
@Suite struct StoreScheduleTests {
  @Test(arguments: (0..<100).map { _ in UInt64.random(in: .min ... .max) })
  func whatIsFreshIsWhatTheRuntimeHas(seed: UInt64) {
    var runtime = SimulatedRuntime(seed: seed)
    for step in 0..<400 {
      runtime.step()
      let busy = Set(runtime.calls.map(\.id))
      let busyPods = Set(runtime.calls.map(\.podSandboxID))
      for (id, entry) in runtime.store.entries
      where !entry.isStale && !busy.contains(id) && !busyPods.contains(entry.podSandboxID) {
        let body = runtime.truth[id]?.body
        #expect(entry.body == body.map { [$0] }, "seed \(seed), step \(step): \(id) is fresh, but wrong")
      }
      let missing = runtime.told.filter { runtime.truth[$0] != nil && runtime.store.entries[$0] == nil }
      #expect(missing.isEmpty, "seed \(seed), step \(step): \(missing) are gone from the Store only")
    }
    runtime.settle()
    let remembered = runtime.store.entries.mapValues {
      SimulatedRuntime.Value(podSandboxID: $0.podSandboxID, body: $0.body[0])
    }
    #expect(remembered == runtime.truth, "seed \(seed): after a rebuild")
    #expect(!runtime.store.entries.values.contains { $0.isStale }, "seed \(seed): stale after a rebuild")
    #expect(runtime.store.traceCount == 0, "seed \(seed): traces are left")
  }
}
