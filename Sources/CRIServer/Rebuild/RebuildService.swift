internal import CoreMetrics
internal import GRPC
package import Logging
internal import Meters
internal import ServiceLifecycle

/// Rebuilds the Store each time the runtime is reached: at first, and after it was lost.
///
/// Serving does not wait for it. It runs on the default executor: the event loop only moves the bytes.
package final class RebuildService: Service {
  private let rebuild: StoreRebuild
  private let logger: Logger
  private let meters = RebuildMeters()
  private let whenDone: @Sendable () -> Void
  private let requests: AsyncStream<Void>
  private let request: AsyncStream<Void>.Continuation

  /// - Parameter whenDone: Told of the end of each rebuild, however it went.
  package init(_ rebuild: StoreRebuild, logger: Logger, whenDone: @escaping @Sendable () -> Void = {}) {
    self.rebuild = rebuild
    self.logger = logger
    self.whenDone = whenDone
    // Requests that come during a rebuild are one further rebuild.
    (requests, request) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The runtime is there.
  package func runtimeIsUp() { request.yield() }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      // A preference for the event loop's executor would hold for the rebuild as well.
      await withTaskExecutorPreference(globalConcurrentExecutor) {
        for await _ in self.requests { await self.rebuildOnce() }
      }
    }
  }

  private func rebuildOnce() async {
    defer { whenDone() }
    do throws(Status) {
      try await rebuild.run()
      meters.rebuilt.increment()
    } catch {
      meters.failed.increment()
      logger.warning(
        "the store could not be rebuilt; records are looked up when they are needed",
        metadata: ["error": "\(error.code): \(error.message)"])
    }
  }
}
