import CRIServer
import HTTP2
import Logging
import NIOCore
import NIOPosix
import Store
import Testing

@Suite struct RebuildServiceTests {
  @Test func aRebuildLeavesTheEventLoopToTheCalls() async {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let runtime = FakeRuntime(pods: ["p1"])
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let service = RebuildService(StoreRebuild(store: Store(), runtime: runtime, logger: logger), logger: logger)
    let (places, place) = AsyncStream.makeStream(of: Bool.self)
    runtime.change { $0.meanwhile["p1"] = { place.yield(eventLoop.inEventLoop) } }
    await withTaskExecutorPreference(EventLoopExecutor(eventLoop)) {
      await withTaskGroup { tasks in
        tasks.addTask { try? await service.run() }
        service.runtimeIsUp()
        var isOnEventLoop: Bool?
        for await place in places {
          isOnEventLoop = place
          break
        }
        #expect(isOnEventLoop == false)
        tasks.cancelAll()
      }
    }
  }
}
