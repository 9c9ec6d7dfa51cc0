import FoundationEssentials
import Glibc
import Logging
import NIOPosix
import PluginsManager
import Testing

/// Each test makes one change after the first element: only that change can be behind the second one.
@Suite(.timeLimit(.minutes(1))) struct DirectoryWatchTests {
  private let root: TemporaryDirectory

  init() throws {
    root = try TemporaryDirectory()
  }

  /// Returns when `change` has made another element.
  private func expectElement(
    for path: String, atLeastEvery interval: Duration = .seconds(3600), after change: () throws -> Void = {}
  ) async throws {
    try await DirectoryWatch.watching(
      "\(root.path)/\(path)", on: MultiThreadedEventLoopGroup.singleton.next(), atLeastEvery: interval,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { changes in
      var iterator = changes.makeAsyncIterator()
      try #require(await iterator.next() != nil)
      try change()
      #expect(await iterator.next() != nil)
    }
  }

  @Test func aFileCreated() async throws {
    try await expectElement(for: ".") { try root.write("", to: "a") }
  }

  @Test func aNameAsLongAsTheyGet() async throws {
    try await expectElement(for: ".") { try root.makeDirectory(String(repeating: "x", count: 255)) }
  }

  @Test func aFileWritten() async throws {
    try root.write("", to: "a")
    try await expectElement(for: ".") { try root.write("b", to: "a") }
  }

  @Test func aFileRemoved() async throws {
    try root.write("", to: "a")
    try await expectElement(for: ".") { try root.remove("a") }
  }

  @Test func aFileReplaced() async throws {
    try root.makeDirectory("d")
    try root.write("", to: "new")
    try await expectElement(for: "d") { try root.rename("new", to: "d/a") }
  }

  @Test func aModeChanged() async throws {
    try root.write("", to: "a")
    try await expectElement(for: ".") { try root.setMode(0o666, of: "a") }
  }

  @Test func theDirectorysOwnModeChanged() async throws {
    try root.makeDirectory("d")
    try await expectElement(for: "d") { try root.setMode(0o777, of: "d") }
  }

  @Test func aSocketBound() async throws {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { _ = close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(root.path)/a.sock".utf8) }
    try await expectElement(for: ".") {
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      #expect(bound == 0)
    }
  }

  @Test func theDirectoryCreated() async throws {
    try await expectElement(for: "d") { try root.makeDirectory("d") }
  }

  @Test func aMissingAncestorCreated() async throws {
    try await expectElement(for: "a/b/c") { try root.makeDirectory("a") }
  }

  @Test func aMissingAncestorMovedIntoPlaceWithAllBelowIt() async throws {
    try root.makeDirectory("x")
    try root.makeDirectory("x/b")
    try await expectElement(for: "a/b") { try root.rename("x", to: "a") }
  }

  @Test func aFileAtThePathItselfCreated() async throws {
    try await expectElement(for: "a.sock") { try root.write("", to: "a.sock") }
  }

  @Test func aFileAtThePathItselfReplaced() async throws {
    try root.write("", to: "a.sock")
    try root.write("", to: "new")
    try await expectElement(for: "a.sock") { try root.rename("new", to: "a.sock") }
  }

  @Test func theDirectoryRemoved() async throws {
    try root.makeDirectory("d")
    try await expectElement(for: "d") { try root.remove("d") }
  }

  @Test func theDirectoryMovedAway() async throws {
    try root.makeDirectory("d")
    try await expectElement(for: "d") { try root.rename("d", to: "e") }
  }

  @Test func anAncestorMovedAway() async throws {
    try root.makeDirectory("a")
    try root.makeDirectory("a/b")
    try root.makeDirectory("a/b/c")
    try await expectElement(for: "a/b/c") { try root.rename("a", to: "e") }
  }

  @Test func aLinkToTheDirectoryReplaced() async throws {
    try root.makeDirectory("1")
    try root.makeDirectory("2")
    try root.link("d", to: "1")
    try root.link("new", to: "2")
    try await expectElement(for: "d") { try root.rename("new", to: "d") }
  }

  @Test func aLinkBehindALinkReplaced() async throws {
    try root.makeDirectory("1")
    try root.makeDirectory("2")
    try root.link("..data", to: "1")
    try root.link("d", to: "..data")
    try root.link("new", to: "2")
    try await expectElement(for: "d") { try root.rename("new", to: "..data") }
  }

  @Test func aLinkedDirectorysContentChanged() async throws {
    try root.makeDirectory("1")
    try root.link("d", to: "1")
    try await expectElement(for: "d") { try root.write("", to: "1/a") }
  }

  @Test func nothingButTime() async throws {
    try await expectElement(for: ".", atLeastEvery: .milliseconds(1))
  }

  @Test func theDirectoryAppearsStepByStep() async throws {
    try await DirectoryWatch.watching(
      "\(root.path)/a/b", on: MultiThreadedEventLoopGroup.singleton.next(), atLeastEvery: .seconds(3600),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { changes in
      var steps = ["a", "a/b", "a/b/c"][...]
      for await _ in changes {
        guard let step = steps.popFirst() else { break }
        try root.makeDirectory(step)
      }
      #expect(FileManager.default.fileExists(atPath: "\(root.path)/a/b/c"))
    }
  }

  @Test func theSequenceEndsWithItsTask() async throws {
    let path = root.path
    let task = Task {
      try await DirectoryWatch.watching(
        path, on: MultiThreadedEventLoopGroup.singleton.next(), logger: Logger(label: "test")
      ) { changes in
        for await _ in changes {}
      }
    }
    task.cancel()
    try await task.value
  }
}
