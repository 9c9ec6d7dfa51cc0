import Synchronization
import Testing

@testable import RuntimeDispatcher

@Suite struct PostJobsTests {
  @Test func jobsThatCameBeforeTheEndAllRunEvenIfNothingRanBefore() async {
    let jobs = PostJobs()
    let ran = Mutex(0)
    for _ in 0..<100 {
      #expect(jobs.start { ran.withLock { $0 += Task.isCancelled ? 1 : 1000 } })
    }
    let run = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      await jobs.run()
    }
    await run.value
    #expect(ran.withLock { $0 } == 100)
  }

  @Test func jobsThatComeAfterTheEndAreNotTaken() async {
    let jobs = PostJobs()
    let run = Task { await jobs.run() }
    run.cancel()
    await run.value
    #expect(!jobs.start {})
  }

  @Test func theEndWaitsForTheJobsItCancels() async {
    let jobs = PostJobs()
    let clock = ManualClock()
    let ended = Mutex(false)
    _ = jobs.start {
      try? await clock.sleep(for: .seconds(1))
      ended.withLock { $0 = true }
    }
    let run = Task { await jobs.run() }
    await clock.sleepers(1)
    run.cancel()
    await run.value
    #expect(ended.withLock { $0 })
  }
}
