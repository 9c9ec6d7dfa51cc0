import Glibc
import Testing

@testable import PluginsManager

/// One look at a real directory.
@Suite(.timeLimit(.minutes(1))) struct RegistrationDirectoryTests {
  private let root: TemporaryDirectory
  private var directory: RegistrationDirectory { RegistrationDirectory(path: root.path, daemonUID: geteuid()) }

  init() throws {
    root = try TemporaryDirectory()
  }

  /// The names found, with their texts or what is wrong with them.
  private func found(in directory: RegistrationDirectory? = nil) throws -> [String: Result<String, RegistrationError>] {
    guard case .files(let files) = (directory ?? self.directory).scan() else {
      throw TestFailure("no files: \((directory ?? self.directory).scan())")
    }
    return Dictionary(
      uniqueKeysWithValues: files.map { ($0.name, $0.content.map { String(decoding: $0, as: UTF8.self) }) })
  }

  @Test func onlyVisibleJSONFilesAreRead() throws {
    for name in ["a.json", ".b.json", ".json", "c.jsonx", "d.JSON", "json", "e.json~", "f.json.json"] {
      try root.write("{}", to: name)
    }
    try root.makeDirectory("g.json")
    try root.link("h.json", to: "g.json")
    try root.link("..data", to: "g.json")
    #expect(try found() == ["a.json": .success("{}"), "f.json.json": .success("{}")])
  }

  @Test func filesAreReadThroughLinks() throws {
    try root.makeDirectory("..1")
    try root.write("{}", to: "..1/a.json")
    try root.link("..data", to: "..1")
    try root.link("a.json", to: "..data/a.json")
    #expect(try found() == ["a.json": .success("{}")])
  }

  @Test func theDirectoryMayBeALink() throws {
    try root.makeDirectory("real")
    try root.write("{}", to: "real/a.json")
    try root.link("link", to: "real")
    let directory = RegistrationDirectory(path: "\(root.path)/link", daemonUID: geteuid())
    #expect(try found(in: directory) == ["a.json": .success("{}")])
  }

  @Test func aLinkThatLeadsNowhereIsUnreadable() throws {
    try root.link("a.json", to: "nowhere")
    let error = RegistrationError.unreadable(
      path: "\(root.path)/a.json", operation: "open", reason: "No such file or directory")
    #expect(try found() == ["a.json": .failure(error)])
  }

  @Test func aLinkThatLeadsToItselfIsUnreadable() throws {
    try root.link("a.json", to: "a.json")
    guard case .failure(.unreadable)? = try found()["a.json"] else {
      throw TestFailure("\(try found())")
    }
  }

  @Test func aFIFOIsRefusedWithoutWaitingForAWriter() throws {
    try #require(mkfifo("\(root.path)/a.json", 0o600) == 0)
    #expect(try found() == ["a.json": .failure(.notARegularFile(file: "\(root.path)/a.json"))])
  }

  @Test(arguments: [0o620, 0o602, 0o666] as [mode_t])
  func aFileThatOthersMayWriteIsRefused(mode: mode_t) throws {
    try root.write("{}", to: "a.json")
    try root.setMode(mode, of: "a.json")
    let error = RegistrationError.writableByOthers(path: "\(root.path)/a.json", mode: mode)
    #expect(try found() == ["a.json": .failure(error)])
  }

  @Test func theFileAtTheEndOfALinkIsTheOneThatCounts() throws {
    try root.write("{}", to: "target")
    try root.setMode(0o666, of: "target")
    try root.link("a.json", to: "target")
    #expect(
      try found() == ["a.json": .failure(.writableByOthers(path: "\(root.path)/a.json", mode: 0o666))])
  }

  @Test(.enabled("only root can give files away") { geteuid() == 0 })
  func aFileOfAnotherUserIsRefused() throws {
    try root.write("{}", to: "a.json")
    try root.setOwner(4321, of: "a.json")
    let error = RegistrationError.wrongOwner(path: "\(root.path)/a.json", uid: 4321, daemonUID: 0)
    #expect(try found() == ["a.json": .failure(error)])
    #expect(
      try found(in: RegistrationDirectory(path: root.path, daemonUID: 4321)) == ["a.json": .success("{}")])
  }

  @Test(arguments: [0o770, 0o707, 0o1777] as [mode_t])
  func aDirectoryThatOthersMayWriteIsRefused(mode: mode_t) throws {
    try root.setMode(mode)
    guard case .refused(.writableByOthers(root.path, mode)) = directory.scan() else {
      throw TestFailure("\(directory.scan())")
    }
  }

  @Test(.enabled("only root can give directories away") { geteuid() == 0 })
  func aDirectoryOfAnotherUserIsRefused() throws {
    try root.setOwner(4321)
    guard case .refused(.wrongOwner(root.path, 4321, 0)) = directory.scan() else {
      throw TestFailure("\(directory.scan())")
    }
  }

  @Test func aDirectoryThatIsNotThereIsAbsent() throws {
    let directory = RegistrationDirectory(path: "\(root.path)/not/there", daemonUID: geteuid())
    guard case .absent = directory.scan() else { throw TestFailure("\(directory.scan())") }
  }

  @Test func aFileInTheDirectorysPlaceIsAnError() throws {
    try root.write("", to: "file")
    let directory = RegistrationDirectory(path: "\(root.path)/file", daemonUID: geteuid())
    guard case .refused(.unreadable) = directory.scan() else { throw TestFailure("\(directory.scan())") }
  }

  @Test func noMoreThanTheLimitIsReadOfALargeFile() throws {
    try root.write(String(repeating: " ", count: 2 * Registration.limitBytes), to: "a.json")
    guard case .success(let text)? = try found()["a.json"] else { throw TestFailure("\(try found())") }
    #expect(text.utf8.count == Registration.limitBytes + 1)
  }

  @Test func aNameThatIsNotUTF8IsRefused() throws {
    let bytes = Array("\(root.path)/".utf8CString.dropLast()) + [-1] + Array(".json".utf8CString)
    let descriptor = open(bytes, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    _ = close(descriptor)
    #expect(
      try found() == ["\u{fffd}.json": .failure(.nameNotUTF8(file: "\(root.path)/\u{fffd}.json"))])
  }
}
