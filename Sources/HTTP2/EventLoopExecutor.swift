package import NIOCore

/// Runs tasks on an event loop, so that `async` code on the request path hops to no other thread (a hop costs
/// more than the whole relay).
///
/// Use it as a task's executor preference; child tasks inherit it.
package final class EventLoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedTaskExecutor()
    eventLoop.execute { job.runSynchronously(on: executor) }
  }
}
