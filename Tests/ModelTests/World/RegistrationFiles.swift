import FoundationEssentials
import Glibc
import PluginsManager
import Testing

/// A directory of registration files, removed with its owner.
final class RegistrationFiles {
  let path: String

  init() throws {
    var template = Array("/tmp/model-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ content: FileContent, to name: String) throws {
    let file = "\(path)/\(name).json"
    try content.text.write(toFile: file, atomically: false, encoding: .utf8)
    try #require(chmod(file, 0o644) == 0)
  }

  func delete(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name).json") }

  func rename(_ name: String, to other: String) throws {
    try #require(Glibc.rename("\(path)/\(name).json", "\(path)/\(other).json") == 0)
  }
}

extension FileContent {
  var text: String {
    switch self {
    case .broken(let text): return text
    case .good(let endpoint, let policy, let points, let timeout):
      let names = points.map { "\"\($0.rawValue)\"" }.sorted().joined(separator: ", ")
      return """
        {"remote-endpoint": "\(endpoint)", "failure-policy": "\(policy.rawValue)", "runtime-hooks": [\(names)],
        "timeout": "\(timeout)ms"}
        """
    }
  }

  static func random(_ random: inout SeededGenerator) -> FileContent {
    if random.isOne(in: 4) {
      let texts = [
        "", "{", "[]", #"{"remote-endpoint": "/run/x.sock", "failure-policy": "Perhaps"}"#,
        #"{"remote-endpoint": "run/x.sock"}"#, #"{"runtime-hooks": ["PreRunPodSandbox"]}"#,
      ]
      return .broken(text: random.pick(texts) ?? "")
    }
    let points =
      random.isOne(in: 2)
      ? Set(HookPoint.allCases) : Set(HookPoint.allCases.filter { _ in random.isOne(in: 2) })
    return .good(
      endpoint: random.pick(["/run/x.sock", "/run/y.sock"]) ?? "",
      policy: random.pick([.fail, .fail, .ignore]) ?? .fail, points: points,
      timeoutMilliseconds: random.pick([500, 2000, 2000, 5000]) ?? 500)
  }
}
