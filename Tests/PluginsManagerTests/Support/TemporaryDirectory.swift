import FoundationEssentials
import Glibc
import Testing

/// A directory of a test's own, with a short path and without links; removed with its last owner.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/pm-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes as koordlet does: create, then write. Whatever the umask, nobody else may write afterwards.
  func write(_ text: String, to name: String) throws {
    let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { _ = close(descriptor) }
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      let count = Glibc.write(descriptor, bytes, bytes.count)
      try #require(count > 0)
      bytes.removeFirst(count)
    }
  }

  func makeDirectory(_ name: String) throws {
    try #require(mkdir("\(path)/\(name)", 0o755) == 0)
  }

  func link(_ name: String, to target: String) throws {
    try #require(symlink(target, "\(path)/\(name)") == 0)
  }

  /// Replaces what `to` names, in one step.
  func rename(_ from: String, to: String) throws {
    try #require(Glibc.rename("\(path)/\(from)", "\(path)/\(to)") == 0)
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: "\(path)/\(name)")
  }

  func setMode(_ mode: mode_t, of name: String = ".") throws {
    try #require(chmod("\(path)/\(name)", mode) == 0)
  }

  func setOwner(_ uid: uid_t, of name: String = ".") throws {
    try #require(chown("\(path)/\(name)", uid, gid_t.max) == 0)
  }
}
