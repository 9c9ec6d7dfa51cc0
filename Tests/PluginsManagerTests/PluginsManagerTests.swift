import FoundationEssentials
import Glibc
import Logging
import NIOPosix
import ServiceLifecycle
import Testing

@testable import PluginsManager

/// The whole, on real directories. Nothing is looked at but for an event: the rescan is an hour away, except where
/// it is what is tested.
@Suite(.timeLimit(.minutes(1))) struct PluginsManagerTests {
  private let root: TemporaryDirectory
  private let log = LogRecorder()

  init() throws {
    root = try TemporaryDirectory()
  }

  private func manager(_ path: String = ".", rescanInterval: Duration = .seconds(3600)) -> PluginsManager {
    PluginsManager(
      directory: "\(root.path)/\(path)", eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: log.logger,
      rescanInterval: rescanInterval)
  }

  /// Runs a manager and hands it over once its watches are set and its first look has found `names`.
  private func running(
    _ path: String = ".", having names: [String], rescanInterval: Duration = .seconds(3600),
    _ body: (PluginsManager) async throws -> Void
  ) async throws {
    let manager = manager(path, rescanInterval: rescanInterval)
    try await withThrowingTaskGroup { group in
      group.addTask { try await manager.run() }
      try await manager.snapshot { $0.names == names && ($0.directory == .absent || !names.isEmpty) }
      try await body(manager)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  // MARK: load

  @Test func theDirectoryIsReadCompletelyBeforeTheFirstCall() async throws {
    for number in 0..<1000 {
      try root.write(goodFile(endpoint: "/run/\(number)"), to: "\(number).json")
    }
    let manager = manager()
    #expect(manager.registry.plugins.isEmpty)
    await manager.load()
    #expect(manager.registry.plugins(at: .preRunPodSandbox).map(\.name) == (0..<1000).map(String.init).sorted())
    #expect(manager.files.count == 1000)
  }

  /// What the reference implementation gets wrong, 1.
  @Test func aBrokenFileOnFirstSightCostsOnlyItself() async throws {
    try root.write(#"{"remote-endpoint":"/run/a."#, to: "a.json")
    try root.write(String(repeating: "[", count: 100_000), to: "b.json")
    try root.write(String(repeating: " ", count: Registration.limitBytes + 1), to: "c.json")
    try root.write(goodFile(), to: "d.json")
    let manager = manager()
    await manager.load()
    #expect(manager.registry.plugins.map(\.name) == ["d"])
    #expect(manager.files.map(\.isRejected) == [true, true, true, false])
    #expect(log.lines.count { $0.hasPrefix("error: ") && $0.hasSuffix("it registers nothing") } == 3)
  }

  @Test func aChangeIsLoggedOnceAndNotAtEveryLook() async throws {
    try root.write("{", to: "a.json")
    try root.write(goodFile(), to: "b.json")
    let manager = manager()
    await manager.load()
    let lines = log.lines
    #expect(lines.count == 2)
    await manager.load()
    #expect(log.lines == lines)
  }

  @Test func whenTheDirectoryIsNoLongerTrustedWhatWasRegisteredStays() async throws {
    try root.write(goodFile(), to: "a.json")
    let manager = manager()
    await manager.load()
    try root.setMode(0o777)
    try root.write(goodFile(), to: "b.json")
    await manager.load()
    #expect(manager.registry.plugins.map(\.name) == ["a"])
    #expect(
      manager.directoryCondition == .refused(.writableByOthers(path: "\(root.path)/.", mode: 0o777)))
    #expect(log.lines.last?.hasPrefix("error: \(root.path)/.: group or others may write here (mode 0777)") == true)

    try root.setMode(0o755)
    await manager.load()
    #expect(manager.registry.plugins.map(\.name) == ["a", "b"])
    #expect(manager.directoryCondition == .readable)
  }

  // MARK: events

  @Test func aNewFileTakesEffectByEvent() async throws {
    try root.write(goodFile(), to: "a.json")
    try await running(having: ["a"]) { manager in
      try root.write(goodFile(), to: "b.json")
      try await manager.snapshot { $0.names == ["a", "b"] }
    }
  }

  /// What the reference implementation gets wrong, 15.
  @Test func deletingAFileTakesEffectByEvent() async throws {
    try root.write(goodFile(), to: "a.json")
    try await running(having: ["a"]) { manager in
      try root.remove("a.json")
      try await manager.snapshot { $0.names.isEmpty && $0.files.isEmpty }
      #expect(manager.registry.plugins(at: .preRunPodSandbox).isEmpty)
    }
  }

  @Test func aBrokenFileKeepsItsLastGoodVersionUntilItIsMended() async throws {
    try root.write(goodFile(), to: "a.json")
    try await running(having: ["a"]) { manager in
      try root.write("{", to: "a.json")
      let broken = try await manager.snapshot { $0.files.first?.condition != .good }
      #expect(broken.registry.plugins.map(\.endpoint) == ["/run/a.sock"])
      try root.write(goodFile(endpoint: "/new"), to: "a.json")
      let mended = try await manager.snapshot { $0.files.first?.condition == .good }
      #expect(mended.registry.plugins.map(\.endpoint) == ["/new"])
    }
  }

  @Test func aFileThatOthersMayWriteKeepsItsLastGoodVersionUntilItIsMended() async throws {
    try root.write(goodFile(), to: "a.json")
    try await running(having: ["a"]) { manager in
      try root.setMode(0o666, of: "a.json")
      let refused = try await manager.snapshot { $0.files.first?.condition != .good }
      #expect(
        refused.files.first?.condition
          == .lastGoodKept(.writableByOthers(path: "\(root.path)/./a.json", mode: 0o666)))
      #expect(refused.names == ["a"])
      try root.setMode(0o644, of: "a.json")
      try await manager.snapshot { $0.files.first?.condition == .good }
    }
  }

  @Test func theDirectoryMayAppearLater() async throws {
    try await running("x/hookserver.d", having: []) { manager in
      try root.makeDirectory("x")
      try root.makeDirectory("x/hookserver.d")
      try root.write(goodFile(), to: "x/hookserver.d/a.json")
      try await manager.snapshot { $0.names == ["a"] }
    }
  }

  @Test func theDirectoryMayBeRemovedAndCreatedAnew() async throws {
    try root.makeDirectory("d")
    try root.write(goodFile(), to: "d/a.json")
    try await running("d", having: ["a"]) { manager in
      try root.remove("d")
      try await manager.snapshot { $0.names.isEmpty && $0.directory == .absent }
      try root.makeDirectory("d")
      try root.write(goodFile(), to: "d/b.json")
      try await manager.snapshot { $0.names == ["b"] }
    }
  }

  @Test func theDirectoryMayBeMovedAway() async throws {
    try root.makeDirectory("d")
    try root.write(goodFile(), to: "d/a.json")
    try await running("d", having: ["a"]) { manager in
      try root.rename("d", to: "e")
      try await manager.snapshot { $0.names.isEmpty && $0.directory == .absent }
    }
  }

  /// As kubelet updates a mounted ConfigMap.
  @Test func aSwapOfTheDataLinkTakesEffectByEvent() async throws {
    for (version, endpoint) in [("..1", "/old"), ("..2", "/new")] {
      try root.makeDirectory(version)
      try root.write(goodFile(endpoint: endpoint), to: "\(version)/a.json")
    }
    try root.link("..data", to: "..1")
    try root.link("a.json", to: "..data/a.json")
    try root.link("..data_tmp", to: "..2")
    try await running(having: ["a"]) { manager in
      try root.rename("..data_tmp", to: "..data")
      try await manager.snapshot { $0.registry.plugins.map(\.endpoint) == ["/new"] }
    }
  }

  @Test func aSwapOfALinkToTheDirectoryTakesEffectByEvent() async throws {
    try root.makeDirectory("1")
    try root.makeDirectory("2")
    try root.write(goodFile(), to: "1/a.json")
    try root.write(goodFile(), to: "2/b.json")
    try root.link("d", to: "1")
    try root.link("new", to: "2")
    try await running("d", having: ["a"]) { manager in
      try root.rename("new", to: "d")
      try await manager.snapshot { $0.names == ["b"] }
    }
  }

  @Test func aThousandFilesWrittenAtOnceAreAllFound() async throws {
    try root.write(goodFile(), to: "a.json")
    try await running(having: ["a"]) { manager in
      for number in 0..<999 {
        try root.write(goodFile(), to: "\(number).json")
      }
      try await manager.snapshot { $0.names.count == 1000 }
    }
  }

  /// What a link leads to is in no watched directory.
  @Test func theRescanFindsWhatNoEventTells() async throws {
    let elsewhere = try TemporaryDirectory()
    try elsewhere.write(goodFile(), to: "a")
    try root.link("a.json", to: "\(elsewhere.path)/a")
    try await running(having: ["a"], rescanInterval: .milliseconds(5)) { manager in
      try elsewhere.write(goodFile(endpoint: "/new"), to: "a")
      try await manager.snapshot { $0.registry.plugins.map(\.endpoint) == ["/new"] }
    }
  }

  // MARK: the service

  @Test func runsUntilGracefulShutdown() async throws {
    try root.write(goodFile(), to: "a.json")
    let manager = manager()
    let group = ServiceGroup(configuration: .init(services: [.init(service: manager)], logger: log.logger))
    try await withThrowingTaskGroup { tasks in
      tasks.addTask { try await group.run() }
      try await manager.snapshot { $0.names == ["a"] }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    #expect(manager.registry.plugins.map(\.name) == ["a"])
  }
}

extension PluginsManager {
  /// Waits for what is looked for.
  @discardableResult
  fileprivate func snapshot(where matches: (RegistrationSnapshot) -> Bool) async throws -> RegistrationSnapshot {
    for await snapshot in snapshots() where matches(snapshot) {
      return snapshot
    }
    throw CancellationError()
  }
}

extension RegistrationSnapshot {
  fileprivate var names: [String] { registry.plugins.map(\.name) }
}

extension FileState {
  fileprivate var isRejected: Bool {
    switch condition {
    case .rejected: true
    case .good, .lastGoodKept: false
    }
  }
}
