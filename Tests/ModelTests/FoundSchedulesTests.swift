import GRPC
import NIOCore
import NIOEmbedded
import PluginsManager
import Testing

@testable import CRIServer

/// What the random schedules have found, each as the shortest schedule that shows it.
@Suite struct FoundSchedulesTests {
  private let loop = EmbeddedEventLoop()
  private let clock = WorldClock()
  private let files: RegistrationFiles
  private let system: RealSystem

  init() throws {
    files = try RegistrationFiles()
    system = RealSystem(directory: files.path, loop: loop, clock: clock, outside: Outside())
  }

  @Test func aStopThatArrivesBehindTheRemovalLeavesNothing() throws {
    try register(Set(HookPoint.allCases))
    begin(.runPodSandbox, ["name": "pod"])
    try answer(.answer([:]), where: \.isHook)
    try answer(.status(.ok, id: "p1")) { $0 == .runtime(.runPodSandbox, ["name": "pod"]) }
    #expect(system.remains == Remains(records: 1))

    begin(.removePodSandbox, ["id": "p1"])
    begin(.stopPodSandbox, ["id": "p1"])
    try answer(.status(.ok, id: "")) { $0 == .runtime(.removePodSandbox, ["id": "p1"]) }
    try answer(.status(.notFound, id: "")) { $0 == .runtime(.stopPodSandbox, ["id": "p1"]) }
    // It was there when kubelet asked, so the plugin is told all the same.
    try answer(.answer([:]), where: \.isHook)
    #expect(system.remains == Remains())
    end()
  }

  @Test func aRepeatedCallTellsTheRuntimeWhatIsLeft() throws {
    try register([.preRunPodSandbox])
    begin(.runPodSandbox, ["name": "pod"], timeout: .seconds(60))
    try answer(.answer([:]), where: \.isHook)
    clock.now += .seconds(5)
    loop.advanceTime(by: .seconds(5))
    try answer(.runtimeFails(.notProcessed)) { $0 == .runtime(.runPodSandbox, ["name": "pod"]) }
    // A request that tells another deadline than it has says so in its fields.
    let repeated = try #require(system.port.waiting.first?.ask)
    #expect(repeated.about == .runtime(.runPodSandbox, ["name": "pod"]))
    #expect(repeated.due == clock.start + .seconds(60))
    try answer(.status(.ok, id: "p1")) { $0 == repeated.about }
    end()
  }

  // MARK: The world

  private func register(_ points: Set<HookPoint>) throws {
    try files.write(
      .good(endpoint: "/run/a.sock", policy: .fail, points: points, timeoutMilliseconds: 500), to: "a")
    system.look()
    loop.run()
  }

  private func begin(_ verb: Verb, _ fields: Fields, timeout: Duration? = nil) {
    _ = system.begin(KubeletCall(verb: verb, fields: fields, timeout: timeout)) { _ in }
    loop.run()
  }

  private func answer(_ reply: Reply, where isMeant: (Ask.About) -> Bool) throws {
    let ask = try #require(system.port.waiting.first { isMeant($0.ask.about) }).ask
    system.port.reply(reply, to: ask)
    loop.run()
  }

  private func end() {
    #expect(system.port.waiting.isEmpty)
    system.stop()
    loop.run()
  }
}

extension Ask.About {
  fileprivate var isHook: Bool { if case .hook = self { true } else { false } }
}
