internal import ArgumentParser
internal import PluginsManager
internal import YAML

/// What the configuration file says: a YAML mapping of settings to values.
///
/// ```yaml
/// hook-dir: /etc/runtime/hookserver.d
/// never-fail-namespaces: [kube-system, storage]
/// allow-core-dumps: false
/// ```
struct ConfigurationFile {
  struct Entry: Sendable {
    /// As the command line would have it.
    let value: String
    let line: Int
  }

  /// More bytes than that are no configuration.
  static let limitBytes = 64 * 1024

  let path: String
  /// By key.
  let entries: [String: Entry]

  /// Reads a file that must be as trustworthy as a registration: it says whom the daemon listens to.
  ///
  /// - Returns: `nil` if there is no such file.
  static func read(_ path: String, names: [SettingName]) throws(CommandFailure) -> ConfigurationFile? {
    let content: [UInt8]?
    do {
      content = try TrustedFile.read(path, limitBytes: limitBytes)
    } catch {
      throw CommandFailure(message: "\(error)", code: .configuration)
    }
    guard let content else { return nil }
    return try ConfigurationFile(path: path, content: content, names: names)
  }

  /// - Throws: with file, line and key, for the first thing that is wrong.
  init(path: String, content: [UInt8], names: [SettingName]) throws(CommandFailure) {
    self.path = path
    func failure(_ line: Int, _ problem: String) -> CommandFailure {
      CommandFailure(message: "\(path):\(line): \(problem)", code: .configuration)
    }
    let documents: [YAMLNode]
    do {
      documents = try YAMLDocuments.read(content)
    } catch {
      throw failure(error.line, error.problem)
    }
    if documents.count > 1 { throw failure(documents[1].line, "a second document; one is meant") }

    var entries: [String: Entry] = [:]
    if let root = documents.first {
      guard case .mapping(let members) = root.value else {
        throw failure(root.line, "is no mapping; lines such as \"log-level: info\" are meant")
      }
      for member in members {
        guard let key = member.key.text else { throw failure(member.key.line, "a setting's name is meant") }
        guard let name = names.first(where: { $0.key == key }) else {
          let meant = Spelling.nearest(to: key, of: names.map(\.key)).map { "; did you mean \($0)?" } ?? ""
          throw failure(member.key.line, "\(key.quoted): there is no such setting\(meant)")
        }
        if let other = entries[key] { throw failure(member.key.line, "\(key): is in line \(other.line) already") }
        do {
          entries[key] = Entry(value: try Self.value(member.value, of: name), line: member.value.line)
        } catch {
          throw failure(member.value.line, "\(key): \(error)")
        }
      }
    }
    self.entries = entries
    for name in names {
      guard let entry = entries[name.key] else { continue }
      if let problem = Settings.problem(with: entry.value, of: name) {
        throw failure(entry.line, "\(name.key): \(problem)")
      }
    }
  }

  private struct WrongType: Error, CustomStringConvertible {
    let description: String
  }

  private static func value(_ node: YAMLNode, of name: SettingName) throws(WrongType) -> String {
    guard !node.isNull else { throw WrongType(description: "has no value") }
    if name.isSwitch {
      guard let truth = node.truth else { throw WrongType(description: "true or false is meant") }
      return "\(truth)"
    }
    switch node.value {
    case .scalar(let text, _): return text
    case .list(let items) where name.isList:
      // A comma inside would make two of one.
      let texts = items.compactMap(\.text)
      guard texts.count == items.count, !texts.contains(where: { $0.contains(",") }) else {
        throw WrongType(description: "a list of names is meant")
      }
      return texts.joined(separator: ",")
    case .list, .mapping:
      throw WrongType(description: name.isList ? "a list of names is meant" : "one value is meant")
    }
  }
}
