import FoundationEssentials
import PluginsManager
import Testing

/// The files in `hookserver.d`, which people copy.
@Suite struct SampleFilesTests {
  private static let directory: String = {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return "/\(root)/hookserver.d"
  }()

  private static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".json") }.sorted()
  }

  private func registration(of name: String) throws -> Registration {
    let content = try #require(FileManager.default.contents(atPath: "\(Self.directory)/\(name)"))
    return try Registration(decoding: Array(content), file: name)
  }

  @Test func eachIsGoodAndWithoutWarnings() throws {
    let names = try Self.names()
    #expect(names == ["cpu-pinning.json", "gpu-binder.json", "koordlet.json"])
    for name in names {
      #expect(try registration(of: name).warnings.isEmpty, "\(name)")
    }
  }

  @Test func togetherTheyShowEveryKey() throws {
    let all = try Self.names().map(registration(of:))
    #expect(Set(all.map(\.failurePolicy)) == [.fail, .ignore])
    #expect(all.contains { $0.timeout == .milliseconds(500) })
    #expect(all.contains { $0.uid == 64321 })
    #expect(all.reduce(into: Set()) { $0.formUnion($1.hookPoints) } == Set(HookPoint.allCases))
  }
}
