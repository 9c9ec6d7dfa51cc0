import CRIMessages
import FoundationEssentials
import HookMessages
import SwiftProtobuf

/// A message as a flat list of what it says, absent, empty and zero left out: what kubelet's and the plugins' vocabulary
/// and the reference have in common.
///
/// Of a pod: `ns`, `name`, `uid`, `label <key>`, `annotation <key>`, `cgroup`, resources. Of a container: `name`, `id`,
/// `annotation <key>`, `env <key>`, resources, `cgroup`, and its pod's fields with `pod ` before them.
typealias Fields = [String: String]

extension Fields {
  static let numbers = ["cpu_shares", "memory", "oom"]
  static let cpusets = ["cpus", "mems"]
  static var resources: [String] { numbers + cpusets }

  static func isResource(_ name: String) -> Bool { resources.contains(name) }

  /// The resources among the fields.
  var resources: Fields { filter { Self.isResource($0.key) } }

  var hasResources: Bool { !resources.isEmpty }

  /// Those whose name begins so, without the beginning.
  func beginning(_ prefix: String) -> Fields {
    var fields: Fields = [:]
    for (name, value) in self where name.hasPrefix(prefix) { fields[String(name.dropFirst(prefix.count))] = value }
    return fields
  }

  /// The same with `prefix` before each name.
  func prefixed(_ prefix: String) -> Fields {
    var fields: Fields = [:]
    for (name, value) in self { fields[prefix + name] = value }
    return fields
  }

  /// Lays newer fields over these.
  func overlaid(by newer: Fields) -> Fields { merging(newer) { $1 } }

  /// In order of the names, to be read.
  var text: String { sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }

  /// Sets `name` unless the value is nothing.
  mutating func put(_ name: String, _ value: some CustomStringConvertible) {
    let text = value.description
    if !text.isEmpty, text != "0" { self[name] = text }
  }

  mutating func put(_ prefix: String, _ map: [String: String]) {
    for (key, value) in map { self[prefix + key] = value }
  }
}

/// What the resources of CRI and of the hook protocol have in common.
protocol CommonResources {
  var cpuShares: Int64 { get set }
  var memoryLimitInBytes: Int64 { get set }
  var oomScoreAdj: Int64 { get set }
  var cpusetCpus: String { get set }
  var cpusetMems: String { get set }
}

extension LinuxContainerResources: CommonResources {}
extension CRILinuxContainerResources: CommonResources {}

extension CommonResources {
  var fields: Fields {
    var fields: Fields = [:]
    fields.put("cpu_shares", cpuShares)
    fields.put("memory", memoryLimitInBytes)
    fields.put("oom", oomScoreAdj)
    fields.put("cpus", cpusetCpus)
    fields.put("mems", cpusetMems)
    return fields
  }

  mutating func set(_ fields: Fields) {
    cpuShares = Int64(fields["cpu_shares"] ?? "") ?? 0
    memoryLimitInBytes = Int64(fields["memory"] ?? "") ?? 0
    oomScoreAdj = Int64(fields["oom"] ?? "") ?? 0
    cpusetCpus = fields["cpus"] ?? ""
    cpusetMems = fields["mems"] ?? ""
  }
}
