internal import FoundationEssentials
internal import Glibc

/// The node as its files show it; below another root for tests, and for a node that is mounted somewhere.
struct Node: Sendable {
  /// A process that runs on the node.
  struct Process: Sendable, Hashable {
    let id: Int
    let arguments: [String]

    /// The value of a flag, given as `--flag=value` or as `--flag value`; the last one counts.
    func value(of flag: String) -> String? {
      var found: String?
      for (index, argument) in arguments.enumerated() {
        if argument.hasPrefix("\(flag)=") { found = String(argument.dropFirst(flag.count + 1)) }
        if argument == flag, index + 1 < arguments.count { found = arguments[index + 1] }
      }
      return found
    }
  }

  enum Content: Sendable, Hashable {
    case absent
    case unreadable(String)
    case bytes([UInt8])
  }

  /// Files of a node's configuration are small.
  private static let limitBytes = 1 << 20

  /// Empty for this machine's own.
  private let root: String

  init(root: String = "/") {
    self.root = root == "/" ? "" : root
  }

  /// Where a path of the node is for us.
  func path(_ path: String) -> String { root + path }

  func content(_ path: String) -> Content {
    guard let file = fopen(self.path(path), "re") else {
      return errno == ENOENT || errno == ENOTDIR ? .absent : .unreadable(String(cString: strerror(errno)))
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes += chunk[..<count]
      guard bytes.count <= Self.limitBytes else { return .unreadable("is larger than \(Self.limitBytes) bytes") }
    }
    return ferror(file) == 0 ? .bytes(bytes) : .unreadable(String(cString: strerror(errno)))
  }

  func status(_ path: String) -> stat? {
    var status = stat()
    return stat(self.path(path), &status) == 0 ? status : nil
  }

  /// Every process whose program has this name (proc_pid_comm(5): its first 15 bytes).
  func processes(named name: String) -> [Process] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path("/proc"))) ?? []
    var found: [Process] = []
    for id in entries.compactMap({ Int($0) }) {
      guard case .bytes(let comm) = content("/proc/\(id)/comm"),
        String(decoding: comm, as: UTF8.self) == "\(name.prefix(15))\n",
        case .bytes(let line) = content("/proc/\(id)/cmdline")
      else { continue }
      let arguments = line.split(separator: 0, omittingEmptySubsequences: false).dropLast()
      found.append(Process(id: id, arguments: arguments.map { String(decoding: $0, as: UTF8.self) }))
    }
    return found.sorted { $0.id < $1.id }
  }
}
