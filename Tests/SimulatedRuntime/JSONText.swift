internal import CRIMessages

/// JSON as containerd writes it into a verbose status: CRI's names, no zero fields.
enum JSONText {
  static func string(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case "\u{0}"..<" ": out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  static func object(_ members: [(String, String?)]) -> String {
    "{" + members.compactMap { name, value in value.map { "\(string(name)):\($0)" } }.joined(separator: ",") + "}"
  }

  static func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

  static func map(_ entries: [String: String]) -> String? {
    entries.isEmpty ? nil : object(entries.map { ($0.key, string($0.value)) })
  }

  static func counts(_ counts: [String: Int]) -> String {
    object(counts.sorted { $0.key < $1.key }.map { ($0.key, String($0.value)) })
  }

  static func number(_ value: some BinaryInteger) -> String? { value == 0 ? nil : String(value) }

  static func resources(_ resources: CRILinuxContainerResources) -> String {
    object([
      ("cpu_period", number(resources.cpuPeriod)), ("cpu_quota", number(resources.cpuQuota)),
      ("cpu_shares", number(resources.cpuShares)), ("memory_limit_in_bytes", number(resources.memoryLimitInBytes)),
      ("oom_score_adj", number(resources.oomScoreAdj)),
    ])
  }
}
