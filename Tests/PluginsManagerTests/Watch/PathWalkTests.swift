import Testing

@testable import PluginsManager

@Suite struct PathWalkTests {
  private let root: TemporaryDirectory

  init() throws {
    root = try TemporaryDirectory()
  }

  /// The directories that the walk leads through, below the test's own, each with the name looked up in it.
  private func steps(to path: String) -> [String] {
    var walk = PathWalk("\(root.path)/\(path)")
    var steps: [String] = []
    repeat { steps.append("\(walk.directory)|\(walk.nextName ?? "")") } while walk.advance()
    return steps.filter { $0.hasPrefix(root.path) }.map { String($0.dropFirst(root.path.count)) }
  }

  @Test func leadsThroughEachDirectoryToTheDestination() throws {
    try root.makeDirectory("a")
    try root.makeDirectory("a/b")
    #expect(steps(to: "a/./b//") == ["|a", "/a|b", "/a/b|"])
    #expect(steps(to: "a/../a") == ["|a", "/a|..", "|a", "/a|"])
  }

  @Test func endsInTheNearestExistingAncestor() throws {
    try root.makeDirectory("a")
    #expect(steps(to: "a/b/c") == ["|a", "/a|b"])
  }

  @Test func followsLinksAndLeadsThroughTheirPlacesToo() throws {
    try root.makeDirectory("a")
    try root.makeDirectory("a/b")
    try root.link("absolute", to: "\(root.path)/relative/b")
    try root.link("relative", to: "a")
    #expect(steps(to: "absolute") == ["|absolute", "|relative", "|a", "/a|b", "/a/b|"])
  }

  @Test func endsOnLinksThatLeadInACircle() throws {
    try root.link("a", to: "b")
    try root.link("b", to: "a")
    #expect(steps(to: "a").count <= 42)
  }
}
