/// The records: of each pod and container that the runtime has made what a plugin is told about it.
///
/// What the runtime says counts only for objects to which nothing happened since it was asked.
struct ReferenceRecords {
  private(set) var kept: [String: Kept] = [:]
  /// Everything that happens has a number.
  private var moment = 0
  private var inserted: [String: Int] = [:]
  private var written: [String: Int] = [:]
  private var removed: [String: Int] = [:]

  private mutating func now() -> Int {
    moment += 1
    return moment
  }

  subscript(id: String) -> Kept? { kept[id] }

  mutating func insert(_ id: String, _ record: Kept) {
    kept[id] = record
    inserted[id] = now()
    written[id] = moment
  }

  mutating func markStale(_ id: String) {
    kept[id]?.isStale = true
    written[id] = now()
  }

  mutating func update(_ id: String, with fields: Fields) {
    kept[id]?.fields.merge(fields) { $1 }
    written[id] = now()
  }

  /// - Returns: what goes: a pod takes its containers along.
  mutating func remove(_ id: String, isPod: Bool) -> [String] {
    removed[id] = now()
    let gone = kept.filter { $0.key == id || (isPod && $0.value.podSandboxID == id) }.keys
    for id in gone { kept[id] = nil }
    return Array(gone)
  }

  // MARK: Readings

  mutating func beginReading() -> Int { now() }

  mutating func remember(_ id: String, _ record: Kept, since began: Int) {
    for id in [id, record.podSandboxID] where removed[id, default: 0] > began { return }
    let isOvertaken = written[id, default: 0] > began
    if let old = kept[id] {
      guard old.isStale, !isOvertaken else { return }
      var record = record
      record.changes = record.changes ?? old.changes
      kept[id] = record
      written[id] = now()
    } else {
      insert(id, record)
      kept[id]?.isStale = isOvertaken
    }
  }

  /// - Returns: what goes, because it was there before and the runtime has it no more.
  mutating func removeUnlisted(_ listed: Set<String>, since began: Int) -> [String] {
    let unlisted = kept.keys.filter { !listed.contains($0) && inserted[$0, default: 0] < began }
    return unlisted.flatMap { remove($0, isPod: kept[$0]?.podSandboxID == $0) }
  }

  // MARK: What a record holds

  /// Everything of a container that is its own; its cgroup only if it is another than its pod's.
  func container(_ id: String, createdBy request: Fields) -> Kept {
    let pod = request["sandbox"] ?? ""
    var own = request.filter { !$0.key.hasPrefix("pod ") && $0.key != "sandbox" }
    if own["cgroup"] == kept[pod]?.fields["cgroup"] { own["cgroup"] = nil }
    own["id"] = id
    return Kept(podSandboxID: pod, fields: own)
  }

  /// A pod as the runtime tells it: as it was asked for. Changed resources are known to nobody but us.
  func pod(_ object: RuntimeObject) -> Kept {
    var fields = object.config
    if let old = kept[object.id.id], old.fields.hasResources {
      fields = fields.filter { !Fields.isResource($0.key) }.overlaid(by: old.fields.resources)
    }
    return Kept(podSandboxID: object.id.id, fields: fields, changes: kept[object.id.id]?.changes)
  }

  /// A container as the runtime tells it: as it was asked for, with the resources in force; annotations that came
  /// later are known to nobody but us.
  func container(_ object: RuntimeObject) -> Kept {
    var record = container(object.id.id, createdBy: object.config)
    let old = kept[object.id.id]?.fields
    if kept[object.id.podSandboxID] == nil { record.fields["cgroup"] = old?["cgroup"] }
    record.fields.merge(object.updates) { $1 }
    record.fields.merge(old?.annotations ?? [:]) { $1 }
    return record
  }

  /// What a plugin is told about a container: it, and its pod.
  func told(of container: Kept, in pod: Kept) -> Fields {
    var pod = pod.fields
    let cgroup = pod.removeValue(forKey: "cgroup")
    var told = container.fields.overlaid(by: pod.prefixed("pod "))
    told["cgroup"] = container.fields["cgroup"] ?? cgroup
    return told
  }
}
