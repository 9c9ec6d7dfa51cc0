@testable import Store

/// A runtime, the calls under way to it and the Store beside it, driven one random event at a time.
///
/// What really happens (in the runtime) and what the Store hears of it are separate events, in any order that a real
/// node could show: an answer may arrive long after it was given, a call may be carried out and its outcome lost.
struct SimulatedRuntime {
  /// A call that the runtime has answered, but of which the Store has not heard yet.
  struct Call {
    enum Outcome { case created, updated, removed, unknown }
    var id: RecordID
    var podSandboxID: String
    var body: UInt8
    var outcome: Outcome
  }

  /// A reading under way: a rebuild with its list, or a look-up of one record.
  struct Reading {
    var token: ReadingToken
    var isRebuild: Bool
    /// What was listed, once it was listed.
    var listed: Set<RecordID>?
    var toAsk: [RecordID]
    /// Answers under way; nil is NotFound.
    var answers: [(id: RecordID, value: Value?)] = []
  }

  struct Value: Equatable {
    var podSandboxID: String
    var body: UInt8
  }

  /// What the runtime has: the model that the Store is compared with.
  var truth: [RecordID: Value] = [:]
  var calls: [Call] = []
  var readings: [Reading] = []
  /// What the Store was told about, so that it must have a record as long as the runtime has the object.
  var told: Set<RecordID> = []
  var store = StoreState()
  var random: SeededGenerator
  private var lastID = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// Lets one thing happen.
  mutating func step() {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: create(.pod(newID()))
    case 1: if let pod = anyPod() { create(.container(newID()), in: pod) }
    case 2, 3: change(outcomeIsKnown: true)
    case 4: change(outcomeIsKnown: false)
    case 5: removeSomething()
    case 6: beginReading(rebuild: Int.random(in: 0..<4, using: &random) == 0)
    case 7, 8: runtimeAnswersAReading()
    case 9: anAnswerArrives()
    default: if !calls.isEmpty { hear(calls.remove(at: Int.random(in: calls.indices, using: &random))) }
    }
  }

  /// Lets everything under way arrive, then reads everything once more, as a rebuild does.
  mutating func settle() {
    while !calls.isEmpty { hear(calls.removeLast()) }
    while !readings.isEmpty {
      runtimeAnswersAReading()
      anAnswerArrives()
    }
    beginReading(rebuild: true)
    while !readings.isEmpty {
      runtimeAnswersAReading()
      anAnswerArrives()
    }
  }

  // MARK: What happens in the runtime

  private mutating func newID() -> String {
    lastID += 1
    return String(lastID)
  }

  private mutating func anyPod() -> String? {
    let pods = truth.keys.compactMap { if case .pod(let id) = $0 { id } else { nil } }.sorted()
    return pods.randomElement(using: &random)
  }

  /// An object about which no call is under way; kubelet serializes the calls about one pod.
  private mutating func anyQuietObject() -> RecordID? {
    let busy = Set(calls.map(\.id))
    let quiet = truth.keys.filter { id in
      guard !busy.contains(id) else { return false }
      guard case .pod(let pod) = id else { return true }
      return !calls.contains { $0.podSandboxID == pod }
    }
    return quiet.sorted { "\($0)" < "\($1)" }.randomElement(using: &random)
  }

  private mutating func create(_ id: RecordID, in pod: String? = nil) {
    let podSandboxID = if case .pod(let own) = id { own } else { pod ?? "" }
    let body = UInt8.random(in: .min ... .max, using: &random)
    truth[id] = Value(podSandboxID: podSandboxID, body: body)
    // Some objects are older than the Store.
    guard Int.random(in: 0..<3, using: &random) > 0 else { return }
    calls.append(Call(id: id, podSandboxID: podSandboxID, body: body, outcome: .created))
  }

  private mutating func change(outcomeIsKnown: Bool) {
    guard let id = anyQuietObject(), let old = truth[id] else { return }
    let body = UInt8.random(in: .min ... .max, using: &random)
    // A call whose outcome is unknown may have been carried out or not, the removal of a container among them.
    if outcomeIsKnown || Bool.random(using: &random) { truth[id]?.body = body }
    if !outcomeIsKnown, case .container = id, Bool.random(using: &random) { truth[id] = nil }
    calls.append(
      Call(id: id, podSandboxID: old.podSandboxID, body: body, outcome: outcomeIsKnown ? .updated : .unknown))
  }

  private mutating func removeSomething() {
    guard let id = anyQuietObject(), let old = truth[id] else { return }
    truth[id] = nil
    if case .pod(let pod) = id { truth = truth.filter { $0.value.podSandboxID != pod } }
    calls.append(Call(id: id, podSandboxID: old.podSandboxID, body: 0, outcome: .removed))
  }

  // MARK: What the Store hears

  private mutating func hear(_ call: Call) {
    switch call.outcome {
    case .created:
      told.insert(call.id)
      store.insert(call.id, podSandboxID: call.podSandboxID, body: [call.body], changes: nil)
    case .updated:
      guard let entry = store.entries[call.id] else { return store.markStale(call.id) }
      _ = store.replaceBody(of: call.id, with: [call.body], ifWrittenAt: entry.written)
    case .unknown: store.markStale(call.id)
    case .removed: store.remove(call.id)
    }
  }

  private mutating func beginReading(rebuild: Bool) {
    let known = store.entries.keys.sorted { "\($0)" < "\($1)" }
    let wanted = rebuild ? [] : [anyQuietObject() ?? known.randomElement(using: &random)].compactMap { $0 }
    readings.append(Reading(token: store.begin(), isRebuild: rebuild, listed: nil, toAsk: wanted))
  }

  private mutating func runtimeAnswersAReading() {
    guard let index = readings.indices.randomElement(using: &random) else { return }
    if readings[index].isRebuild, readings[index].listed == nil {
      readings[index].listed = Set(truth.keys)
      readings[index].toAsk = truth.keys.filter { store.entries[$0]?.isStale ?? true }.sorted { "\($0)" < "\($1)" }
    } else if let id = readings[index].toAsk.popLast() {
      readings[index].answers.append((id, truth[id]))
    }
  }

  private mutating func anAnswerArrives() {
    guard let index = readings.indices.randomElement(using: &random) else { return }
    let reading = readings[index]
    if let answer = readings[index].answers.popLast() {
      guard let value = answer.value else {
        if !reading.isRebuild { store.remove(answer.id) }
        return
      }
      store.remember(
        answer.id, podSandboxID: value.podSandboxID, body: [value.body], changes: nil, from: reading.token)
    } else if reading.toAsk.isEmpty, !reading.isRebuild || reading.listed != nil {
      if let listed = reading.listed { _ = store.removeUnlisted(listed, from: reading.token) }
      store.end(reading.token)
      readings.remove(at: index)
    }
  }
}
