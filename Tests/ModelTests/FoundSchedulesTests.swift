import GRPC
import PluginsManager
import Testing

@testable import CRIServer

/// What the random schedules have found, each as the shortest schedule that shows it.
@Suite struct FoundSchedulesTests {
  @Test func aStopThatArrivesBehindTheRemovalLeavesNothing() throws {
    let one = try OneSystem(pluginAt: Set(HookPoint.allCases))
    one.begin(.runPodSandbox, ["name": "pod"])
    try one.answer(.answer([:]), where: \.isHook)
    try one.answer(.status(.ok, id: "p1")) { $0 == .runtime(.runPodSandbox, ["name": "pod"]) }
    #expect(one.system.remains == Remains(records: 1))

    one.begin(.removePodSandbox, ["id": "p1"])
    one.begin(.stopPodSandbox, ["id": "p1"])
    try one.answer(.status(.ok, id: "")) { $0 == .runtime(.removePodSandbox, ["id": "p1"]) }
    try one.answer(.status(.notFound, id: "")) { $0 == .runtime(.stopPodSandbox, ["id": "p1"]) }
    // It was there when kubelet asked, so the plugin is told all the same.
    try one.answer(.answer([:]), where: \.isHook)
    #expect(one.system.remains == Remains())
    #expect(one.asks.isEmpty)
  }

  @Test func aRepeatedCallTellsTheRuntimeWhatIsLeft() throws {
    let one = try OneSystem(pluginAt: [.preRunPodSandbox])
    one.begin(.runPodSandbox, ["name": "pod"], timeout: .seconds(60))
    try one.answer(.answer([:]), where: \.isHook)
    one.pass(.seconds(5))
    try one.answer(.runtimeFails(.notProcessed)) { $0 == .runtime(.runPodSandbox, ["name": "pod"]) }
    // A request that tells another deadline than it has says so in its fields.
    #expect(one.asks.map(\.about) == [.runtime(.runPodSandbox, ["name": "pod"])])
    #expect(try one.left == .seconds(55))
    try one.answer(.status(.ok, id: "p1")) { _ in true }
    #expect(one.asks.isEmpty)
  }
}
