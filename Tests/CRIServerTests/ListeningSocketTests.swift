import FoundationEssentials
import Glibc
import Testing

@testable import CRIServer

@Suite struct ListeningSocketTests {
  private let directory: String

  init() throws {
    var template = Array("/tmp/rml-XXXXXX".utf8CString)
    directory = String(cString: try #require(mkdtemp(&template)))
  }

  private var path: String { directory + "/rm.sock" }

  private func mode(_ path: String) -> mode_t {
    var information = stat()
    return lstat(path, &information) == 0 ? information.st_mode & 0o7777 : 0
  }

  private func removeDirectory() { try? FileManager.default.removeItem(atPath: directory) }

  @Test func aNewSocketIsOursAlone() throws {
    defer { removeDirectory() }
    let socket = try ListeningSocket.bind(path)
    #expect(mode(path) == 0o600)
    socket.remove()
    #expect(mode(path) == 0)
  }

  @Test func missingDirectoriesAreMade() throws {
    defer { removeDirectory() }
    let deep = directory + "/a/b/rm.sock"
    let socket = try ListeningSocket.bind(deep)
    #expect(mode(directory + "/a") == 0o755)
    #expect(mode(directory + "/a/b") == 0o755)
    socket.remove()
  }

  @Test func aStaleSocketIsReplaced() throws {
    defer { removeDirectory() }
    let first = try ListeningSocket.bind(path)
    // Its process dies: nobody listens, the lock is free, the file stays.
    let stale = path + ".stale"
    rename(path, stale)
    first.remove()
    rename(stale, path)
    let second = try ListeningSocket.bind(path)
    #expect(mode(path) == 0o600)
    second.remove()
  }

  @Test func aLockedSocketIsNotTaken() throws {
    defer { removeDirectory() }
    let first = try ListeningSocket.bind(path)
    #expect(throws: ListenError.locked(path: path + ".lock")) { _ = try ListeningSocket.bind(path) }
    first.remove()
  }

  @Test func aLiveSocketIsNotStolen() throws {
    defer { removeDirectory() }
    let other = try ListeningSocket.bind(path)
    unlink(path + ".lock")
    #expect(throws: ListenError.alive(path: path)) { _ = try ListeningSocket.bind(path) }
    #expect(mode(path) == 0o600)
    other.remove()
  }

  @Test func whatIsNoSocketIsLeftAlone() throws {
    defer { removeDirectory() }
    try "precious".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(throws: ListenError.notASocket(path: path)) { _ = try ListeningSocket.bind(path) }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
  }

  @Test func aPathThatTheKernelCannotHoldIsRefused() {
    defer { removeDirectory() }
    let long = "/tmp/" + String(repeating: "x", count: 103)
    #expect(throws: ListenError.pathTooLong(path: long, limitBytes: 107)) { _ = try ListeningSocket.bind(long) }
  }

  @Test func aSocketThatSomebodyElsePutThereIsNotRemoved() throws {
    defer { removeDirectory() }
    let socket = try ListeningSocket.bind(path)
    unlink(path)
    try "another".write(toFile: path, atomically: true, encoding: .utf8)
    socket.remove()
    #expect(mode(path) != 0)
  }

  @Test(arguments: [(0o600, 0o600), (0o660, 0o660), (0o777, 0o660)] as [(mode_t, mode_t)])
  func theRuntimesModeIsTakenOverButNeverWiderThan0660(runtimes: mode_t, ours: mode_t) throws {
    defer { removeDirectory() }
    let runtime = try ListeningSocket.bind(directory + "/runtime.sock")
    chmod(runtime.path, runtimes)
    let socket = try ListeningSocket.bind(path)
    #expect((socket.adopt(ownerOf: runtime.path) == nil) == (ours == 0o600))
    #expect(mode(path) == ours)
    #expect(socket.adopt(ownerOf: runtime.path) == nil, "nothing is left to do")
    close(runtime.descriptor)
    runtime.remove()
    socket.remove()
  }
}
