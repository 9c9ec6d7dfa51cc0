import FoundationEssentials
import Logging
import Testing

@testable import PluginsManager

/// What looks at the directory mean, without a directory.
@Suite struct RegistrationStateTests {
  private var state = RegistrationState()

  private static let broken = "{"
  private static let brokenError = RegistrationError.endsEarly(file: "d/a.json", line: 1, column: 2)
  private static let refusal = RegistrationError.writableByOthers(path: "d", mode: 0o777)

  private func files(_ files: [String: String]) -> DirectoryScan {
    .files(files.map { ScannedFile(name: $0, path: "d/\($0)", content: .success(Array($1.utf8))) })
  }

  @Test mutating func aFileStandsAsItDoesSinceThatLastChanged() {
    let times = (0..<6).map { Date(timeIntervalSince1970: Double($0)) }
    let looks = [goodFile(), goodFile(), Self.broken, Self.broken, goodFile(), goodFile(endpoint: "/new")]
    let since = zip(looks, times).map { text, now in
      _ = state.apply(files(["a.json": text]), at: now)
      return state.snapshot.files[0].since
    }
    #expect(since == [times[0], times[0], times[2], times[2], times[4], times[5]])
  }

  @Test mutating func aGoodFileRegistersAPluginNamedAfterIt() throws {
    let events = state.apply(files(["a.json": goodFile(), "b.c.json": goodFile(endpoint: "/b")]))
    #expect(state.snapshot.registry.plugins.map(\.name) == ["a", "b.c"])
    #expect(state.snapshot.registry.plugins.map(\.endpoint) == ["/run/a.sock", "/b"])
    #expect(events == state.snapshot.registry.plugins.map { .registered($0, []) })
    #expect(state.snapshot.files.map(\.condition) == [.good, .good])
  }

  @Test mutating func pluginsAreInByteOrderOfTheirNames() {
    _ = state.apply(files(["b.json": goodFile(), "Z.json": goodFile(), "é.json": goodFile(), "a-.json": goodFile()]))
    #expect(state.snapshot.registry.plugins(at: .preRunPodSandbox).map(\.name) == ["Z", "a-", "b", "é"])
    #expect(state.snapshot.files.map(\.name) == ["Z.json", "a-.json", "b.json", "é.json"])
  }

  @Test mutating func aBrokenFileOnFirstSightCostsOnlyItself() {
    let events = state.apply(files(["a.json": Self.broken, "b.json": goodFile()]))
    #expect(state.snapshot.registry.plugins.map(\.name) == ["b"])
    #expect(state.snapshot.files.map(\.condition) == [.rejected(Self.brokenError), .good])
    #expect(events.first == .rejected(Self.brokenError))
  }

  @Test mutating func keepsTheLastGoodVersionWhenAFileBreaks() {
    _ = state.apply(files(["a.json": goodFile()]))
    let before = state.snapshot.registry.plugins
    #expect(state.apply(files(["a.json": Self.broken])) == [.lastGoodKept(Self.brokenError)])
    #expect(state.snapshot.registry.plugins == before)
    #expect(state.snapshot.files.map(\.condition) == [.lastGoodKept(Self.brokenError)])
  }

  @Test mutating func aFileThatIsGoodAgainIsInForceAtOnce() {
    _ = state.apply(files(["a.json": goodFile()]))
    _ = state.apply(files(["a.json": Self.broken]))
    _ = state.apply(files(["a.json": goodFile(endpoint: "/new")]))
    #expect(state.snapshot.registry.plugins.map(\.endpoint) == ["/new"])
    #expect(state.snapshot.files.map(\.condition) == [.good])
  }

  @Test mutating func aFileThatHasItsOldContentAgainIsNotAChange() {
    _ = state.apply(files(["a.json": goodFile()]))
    let before = state.snapshot.registry.plugins
    _ = state.apply(files(["a.json": Self.broken]))
    #expect(state.apply(files(["a.json": goodFile()])) == [.recovered(name: "a.json")])
    #expect(state.snapshot.registry.plugins == before)
    #expect(state.snapshot.files.map(\.condition) == [.good])
  }

  @Test mutating func deletingAFileForgetsItsLastGoodVersion() {
    _ = state.apply(files(["a.json": goodFile(), "b.json": goodFile()]))
    #expect(state.apply(files(["b.json": goodFile()])) == [.removed(name: "a.json")])
    #expect(state.snapshot.registry.plugins.map(\.name) == ["b"])
    _ = state.apply(files(["a.json": Self.broken, "b.json": goodFile()]))
    #expect(state.snapshot.files.map(\.condition) == [.rejected(Self.brokenError), .good])
  }

  @Test mutating func theVersionGrowsWithEveryChangeOfContentOnly() throws {
    func version() throws -> UInt64 { try #require(state.snapshot.registry.plugins.first).version }
    _ = state.apply(files(["a.json": goodFile()]))
    let first = try version()
    #expect(state.apply(files(["a.json": goodFile()])).isEmpty)
    #expect(try version() == first)

    _ = state.apply(files(["a.json": goodFile() + "\n"]))
    let second = try version()
    #expect(second > first)

    _ = state.apply(files([:]))
    _ = state.apply(files(["a.json": goodFile() + "\n"]))
    #expect(try version() > second)
  }

  @Test mutating func eachChangeOfStateIsToldOnce() {
    let looks: [DirectoryScan] = [
      .absent, files(["a.json": Self.broken]), files(["a.json": goodFile()]), files(["a.json": Self.broken]),
      .refused(Self.refusal), files([:]),
    ]
    for look in looks {
      #expect(!state.apply(look).isEmpty)
      #expect(state.apply(look).isEmpty)
    }
  }

  @Test mutating func aFileThatBreaksInAnotherWayIsToldAgain() {
    _ = state.apply(files(["a.json": Self.broken]))
    #expect(state.apply(files(["a.json": ""])) == [.rejected(.empty(file: "d/a.json"))])
  }

  @Test mutating func aRefusedDirectoryFreezesWhatWasRegistered() {
    _ = state.apply(files(["a.json": goodFile()]))
    let before = state.snapshot
    #expect(state.apply(.refused(Self.refusal)) == [.directory(.refused(Self.refusal))])
    #expect(state.snapshot.registry.plugins == before.registry.plugins)
    #expect(state.snapshot.files == before.files)
    #expect(state.snapshot.directory == .refused(Self.refusal))

    #expect(state.apply(files(["a.json": goodFile()])) == [.directory(.readable)])
    #expect(state.snapshot.directory == .readable)
  }

  @Test mutating func anAbsentDirectoryIsAnEmptyOne() {
    _ = state.apply(files(["a.json": goodFile()]))
    #expect(state.apply(.absent) == [.directory(.absent), .removed(name: "a.json")])
    #expect(state.snapshot.registry.plugins.isEmpty)
  }

  @Test mutating func warningsAreShownWithTheFile() {
    let text = #"{"remote-endpoint":"/a","runtime-hooks":["PreStartContainer","PreFly"]}"#
    let events = state.apply(files(["a.json": text]))
    #expect(state.snapshot.files.map(\.warnings) == [[.unknownHooks([Placed("PreFly", line: 1)])]])
    #expect(events.map(\.level) == [.warning])
  }
}

extension RegistrationState {
  /// A look at a time that does not matter.
  fileprivate mutating func apply(_ scan: DirectoryScan) -> [RegistrationEvent] {
    apply(scan, at: Date(timeIntervalSince1970: 0))
  }
}
