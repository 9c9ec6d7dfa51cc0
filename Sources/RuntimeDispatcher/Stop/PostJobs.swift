internal import ServiceLifecycle

/// The tasks of Post hooks. They belong to the dispatcher and not to the CRI call that caused them, so that
/// kubelet's leaving does not end them.
final class PostJobs: Sendable {
  typealias Job = @Sendable () async -> Void

  private let jobs: AsyncStream<Job>
  private let entrance: AsyncStream<Job>.Continuation

  init() { (jobs, entrance) = AsyncStream.makeStream() }

  /// Has the job run, at once or as soon as ``run()`` does.
  /// - Returns: false if ``run()`` is ending: the job will not run.
  func start(_ job: @escaping Job) -> Bool {
    switch entrance.yield(job) {
    case .enqueued: true
    case .dropped, .terminated: false
    @unknown default: false
    }
  }

  /// Runs the jobs until graceful shutdown or cancellation; then cancels them and waits for their end. Every
  /// job that was taken is run, though it may find itself cancelled from the start.
  func run() async {
    await withTaskCancellationOrGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        for await job in jobs { group.addTask { await job() } }
        group.cancelAll()
      }
    } onCancelOrGracefulShutdown: {
      self.entrance.finish()
    }
  }
}
