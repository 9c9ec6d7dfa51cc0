import Synchronization

/// Runs tasks on the test's own thread, one job after the other in the order in which they became ready, and only
/// when the test says so: between two such moments nothing moves.
final class ManualExecutor: TaskExecutor {
  private let ready = Mutex<[UnownedJob]>([])

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    ready.withLock { $0.append(job) }
  }

  /// Runs until every task waits for something outside.
  func run() {
    while let job = ready.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
