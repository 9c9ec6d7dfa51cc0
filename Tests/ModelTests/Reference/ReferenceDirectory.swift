import PluginsManager

/// What a registration file says, to the reference.
enum FileContent: Hashable, Sendable {
  case good(endpoint: String, policy: FailurePolicy, points: Set<HookPoint>, timeoutMilliseconds: Int)
  case broken(text: String)
}

/// The directory, and which registrations are in force: of each file the last good version.
struct ReferenceDirectory {
  /// By name without `.json`.
  private(set) var files: [String: FileContent] = [:]
  private var inForce: [String: (content: FileContent, plugin: Registered)] = [:]
  private var versions: UInt64 = 0

  /// In byte order of the names.
  var registered: [Registered] { inForce.values.map(\.plugin).sorted { $0.name < $1.name } }

  mutating func write(_ content: FileContent, to name: String) { files[name] = content }
  mutating func delete(_ name: String) { files[name] = nil }
  mutating func rename(_ name: String, to other: String) { files[other] = files.removeValue(forKey: name) }

  /// The files are read.
  mutating func look() {
    inForce = inForce.filter { files[$0.key] != nil }
    for (name, content) in files.sorted(by: { $0.key < $1.key }) {
      guard case .good(let endpoint, let policy, let points, let timeout) = content, inForce[name]?.content != content
      else { continue }
      versions += 1
      let plugin = Registered(
        name: name, endpoint: endpoint, policy: policy, points: points, timeout: .milliseconds(timeout),
        version: versions)
      inForce[name] = (content, plugin)
    }
  }
}
