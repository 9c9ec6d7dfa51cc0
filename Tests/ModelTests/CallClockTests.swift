import GRPC
import PluginsManager
import Testing

@testable import CRIServer

/// The deadlines of kubelet's calls on a clock that is set back and that leaps.
@Suite struct CallClockTests {
  @Test(arguments: [Duration.seconds(-3600), .seconds(Int64.min)])
  func aClockThatIsSetBackGivesTheRuntimeNoMoreThanKubeletGave(leap: Duration) throws {
    let one = try OneSystem(pluginAt: [.preRunPodSandbox])
    one.begin(.runPodSandbox, ["name": "pod"], timeout: .seconds(60))
    one.pass(.milliseconds(400))
    one.set(by: leap)
    try one.answer(.answer([:]), where: \.isHook)
    // A request that tells another deadline than it has says so in its fields.
    #expect(one.asks.map(\.about) == [.runtime(.runPodSandbox, ["name": "pod"])])
    #expect(try one.left == .milliseconds(59_600))
    try one.answer(.status(.ok, id: "p1")) { _ in true }
  }

  @Test(arguments: [Duration.seconds(3600), .seconds(Int64.max)])
  func aClockThatLeapsLeavesTheRuntimeNoTimeAndNotAllTime(leap: Duration) throws {
    let one = try OneSystem(pluginAt: [.preRunPodSandbox])
    one.begin(.runPodSandbox, ["name": "pod"], timeout: .seconds(60))
    one.set(by: leap)
    try one.answer(.answer([:]), where: \.isHook)
    #expect(one.asks.map(\.about) == [.runtime(.runPodSandbox, ["name": "pod"])])
    #expect(try one.left == .zero)
    try one.answer(.timeUp) { _ in true }
  }

  @Test(arguments: [Duration.seconds(-3600), .seconds(3600), .seconds(Int64.max), .seconds(Int64.min)])
  func whateverTheClockDidALookUpHasTwoSeconds(leap: Duration) throws {
    let one = try OneSystem(pluginAt: [.postStopPodSandbox])
    one.set(by: leap)
    one.begin(.stopPodSandbox, ["id": "p1"])
    let query = try #require(one.asks.first { $0.about == .query(.pod("p1")) })
    #expect(query.due.map { one.clock.now.duration(to: $0) } == .seconds(2))
    try one.answer(.status(.ok, id: "")) { $0 == .runtime(.stopPodSandbox, ["id": "p1"]) }
    try one.answer(.status(.notFound, id: "")) { $0 == query.about }
    #expect(one.asks.isEmpty)
  }
}
