internal import PluginsManager

/// Which PostStop* calls are in progress or owed, and which have succeeded, so that kubelet's repeated stops
/// repeat none of them.
struct StopLedger: Sendable {
  /// Design, "Failure": the oldest beyond it is dropped.
  static let owedLimit = 10_000
  /// Against objects whose removal nobody reports: beyond it, the older half of the successes is forgotten.
  static let successLimit = 20_000

  /// One plugin's call for one object.
  struct Claim: Hashable, Sendable {
    let plugin: String
    let hookPoint: HookPoint
    let objectID: String
    fileprivate let number: UInt64
  }

  private struct Hook: Hashable {
    let plugin: String
    let hookPoint: HookPoint
  }

  private enum Entry {
    /// Forgotten: the object is gone, so a success need not be remembered.
    case open(Claim, isOwed: Bool, isForgotten: Bool)
    case succeeded(number: UInt64)
  }

  private var objects: [String: [Hook: Entry]] = [:]
  private var lastNumber: UInt64 = 0
  private var successCount = 0
  private(set) var owedCount = 0
  /// Calls of which something is known.
  var entryCount: Int { objects.values.reduce(0) { $0 + $1.count } }

  /// Begins a call; nil if it has succeeded, is in progress or is owed.
  mutating func claim(_ plugin: String, _ hookPoint: HookPoint, objectID: String) -> Claim? {
    let hook = Hook(plugin: plugin, hookPoint: hookPoint)
    guard objects[objectID]?[hook] == nil else { return nil }
    let claim = Claim(plugin: plugin, hookPoint: hookPoint, objectID: objectID, number: nextNumber())
    objects[objectID, default: [:]][hook] = .open(claim, isOwed: false, isForgotten: false)
    return claim
  }

  /// Whether the claim has neither ended nor been dropped.
  func isOpen(_ claim: Claim) -> Bool { state(of: claim) != nil }

  /// Marks the call as owed. Returns the claim that had to be dropped for it, if any.
  mutating func owe(_ claim: Claim) -> Claim? {
    guard let state = state(of: claim), !state.isOwed else { return nil }
    set(.open(claim, isOwed: true, isForgotten: state.isForgotten), for: claim)
    owedCount += 1
    guard owedCount > Self.owedLimit, let oldest = owed().min(by: { $0.number < $1.number }) else { return nil }
    end(oldest)
    return oldest
  }

  /// The call has succeeded.
  mutating func succeed(_ claim: Claim) {
    guard let state = state(of: claim) else { return }
    end(claim)
    guard !state.isForgotten else { return }
    set(.succeeded(number: nextNumber()), for: claim)
    successCount += 1
    if successCount > Self.successLimit { forgetOlderSuccesses() }
  }

  /// Nothing more is done about the call, and kubelet's next stop may begin it anew.
  /// - Returns: whether it was open until now.
  @discardableResult
  mutating func end(_ claim: Claim) -> Bool {
    guard let state = state(of: claim) else { return false }
    if state.isOwed { owedCount -= 1 }
    set(nil, for: claim)
    return true
  }

  /// The object has been removed: its successes are of no use any more. What is owed stays owed.
  mutating func forget(objectID: String) {
    guard let hooks = objects[objectID] else { return }
    for (hook, entry) in hooks {
      switch entry {
      case .open(let claim, let isOwed, _):
        objects[objectID]?[hook] = .open(claim, isOwed: isOwed, isForgotten: true)
      case .succeeded:
        objects[objectID]?[hook] = nil
        successCount -= 1
      }
    }
    if objects[objectID]?.isEmpty == true { objects[objectID] = nil }
  }

  /// The claim of a call that has neither ended nor been dropped.
  func claim(of call: StopCall) -> Claim? {
    guard case .open(let claim, _, _) = objects[call.objectID]?[Hook(plugin: call.plugin, hookPoint: call.hookPoint)]
    else { return nil }
    return claim
  }

  /// The claims of all calls that have neither ended nor been dropped, in no order.
  func open() -> [Claim] {
    objects.values.flatMap(\.values).compactMap { if case .open(let claim, _, _) = $0 { claim } else { nil } }
  }

  /// All calls that have succeeded, oldest first.
  func succeeded() -> [StopCall] {
    objects.flatMap { objectID, hooks in
      hooks.compactMap { hook, entry -> (UInt64, StopCall)? in
        guard case .succeeded(let number) = entry else { return nil }
        return (number, StopCall(plugin: hook.plugin, hookPoint: hook.hookPoint, objectID: objectID))
      }
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// All owed calls, in no order.
  func owed() -> [Claim] {
    objects.values.flatMap(\.values).compactMap { entry in
      if case .open(let claim, isOwed: true, _) = entry { claim } else { nil }
    }
  }

  private func state(of claim: Claim) -> (isOwed: Bool, isForgotten: Bool)? {
    let hook = Hook(plugin: claim.plugin, hookPoint: claim.hookPoint)
    guard case .open(claim, let isOwed, let isForgotten) = objects[claim.objectID]?[hook] else { return nil }
    return (isOwed, isForgotten)
  }

  private mutating func set(_ entry: Entry?, for claim: Claim) {
    objects[claim.objectID, default: [:]][Hook(plugin: claim.plugin, hookPoint: claim.hookPoint)] = entry
    if objects[claim.objectID]?.isEmpty == true { objects[claim.objectID] = nil }
  }

  private mutating func nextNumber() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }

  private mutating func forgetOlderSuccesses() {
    let numbers = objects.values.flatMap(\.values).compactMap { entry in
      if case .succeeded(let number) = entry { number } else { nil }
    }.sorted()
    let cutoff = numbers[numbers.count / 2]
    objects = objects.compactMapValues { hooks in
      let kept = hooks.filter { entry in
        if case .succeeded(let number) = entry.value { number >= cutoff } else { true }
      }
      return kept.isEmpty ? nil : kept
    }
    successCount = numbers.count - numbers.count / 2
  }
}
