/// The accounts that are kept, as a pure value: which ones, of which object, and which go when there are too many.
struct AccountBookState: Sendable {
  /// An object, because an account is a dozen references, all of which count when it is copied.
  final class Entry: Sendable {
    let number: UInt64
    let account: Account
    let bytes: Int

    init(number: UInt64, account: Account, bytes: Int) {
      self.number = number
      self.account = account
      self.bytes = bytes
    }
  }

  fileprivate struct Object: Sendable {
    var entries: [Entry] = []
    /// Accounts of this object that went because there were too many.
    var dropped = 0

    /// - Returns: What had to make room.
    mutating func add(_ entry: Entry, limit: Int) -> Entry? {
      entries.append(entry)
      guard entries.count > limit else { return nil }
      dropped += 1
      return entries.removeFirst()
    }
  }

  private struct Place: Sendable {
    let number: UInt64
    let object: String
  }

  private let accountsPerObject: Int
  private let limitBytes: Int
  private var objects: [String: Object] = [:]
  /// In order of the numbers. Places of accounts that went otherwise stay until they are first.
  private var order: [Place] = []
  private var firstPlace = 0
  private var lastNumber: UInt64 = 0
  private(set) var bytes = 0
  private(set) var count = 0
  /// Accounts that went because there were too many, since the start.
  private(set) var dropped = 0

  init(accountsPerObject: Int, limitBytes: Int) {
    self.accountsPerObject = accountsPerObject
    self.limitBytes = limitBytes
  }

  /// Keeps an account; the oldest ones go until it has its place.
  /// - Returns: Its number; numbers grow by one with each account.
  mutating func add(_ account: Account) -> UInt64 {
    lastNumber += 1
    guard let object = account.object else { return lastNumber }
    forgetAttempt(before: account, of: object)
    let entry = Entry(
      number: lastNumber, account: account, bytes: account.heapBytes + Self.placeBytes)
    let known = objects.count
    let oldest = objects[object, default: Object()].add(entry, limit: accountsPerObject)
    if objects.count > known { bytes += Self.objectBytes(object) }
    order.append(Place(number: lastNumber, object: object))
    bytes += entry.bytes
    count += 1
    if let oldest {
      bytes -= oldest.bytes
      count -= 1
      dropped += 1
    }
    while bytes > limitBytes, let oldest = nextInOrder() { drop(oldest.number, of: oldest.object) }
    tidyOrder()
    return lastNumber
  }

  /// A repetition of an owed call takes the place of the one before it: its number of attempts says how many there were.
  private mutating func forgetAttempt(before account: Account, of object: String) {
    guard let attempt = account.attempt, attempt > 1, let hookCall = account.hookCalls.first,
      let earlier = objects[object]?.entries.last(where: { entry in
        entry.account.attempt != nil && entry.account.verb == account.verb
          && entry.account.hookCalls.first?.plugin == hookCall.plugin
      })
    else { return }
    remove(earlier.number, of: object)
  }

  private mutating func drop(_ number: UInt64, of object: String) {
    guard remove(number, of: object) else { return }
    objects[object]?.dropped += 1
    dropped += 1
    guard objects[object]?.entries.isEmpty == true else { return }
    objects[object] = nil
    bytes -= Self.objectBytes(object)
  }

  @discardableResult
  private mutating func remove(_ number: UInt64, of object: String) -> Bool {
    guard let index = objects[object]?.entries.firstIndex(where: { $0.number == number }),
      let entry = objects[object]?.entries.remove(at: index)
    else { return false }
    bytes -= entry.bytes
    count -= 1
    return true
  }

  private mutating func nextInOrder() -> Place? {
    guard firstPlace < order.count else { return nil }
    defer { firstPlace += 1 }
    return order[firstPlace]
  }

  /// Lets go of places that are of no use, now and then, so that a place costs the same whenever it goes.
  private mutating func tidyOrder() {
    guard order.count > 2 * count + 64 else { return }
    let kept = order[firstPlace...].filter { place in
      objects[place.object]?.entries.contains { $0.number == place.number } ?? false
    }
    order = kept
    firstPlace = 0
  }

  // MARK: What it costs

  /// An entry, an object with a header of 16 bytes, and its places in its array and in the order, with what these may have
  /// in reserve.
  private static let placeBytes =
    (16 + MemoryLayout<(UInt64, Account, Int)>.size + 15) & ~15
    + 2 * MemoryLayout<Entry>.stride + 2 * MemoryLayout<Place>.stride

  /// A dictionary's slot, with as much in reserve, and the object that its array is.
  private static func objectBytes(_ object: String) -> Int {
    2 * (MemoryLayout<String>.stride + MemoryLayout<Object>.stride) + 32 + object.heapBytes
  }

  // MARK: Look-up

  /// See ``AccountBook/lookUp(_:)``.
  func lookUp(_ query: String) -> AccountLookup {
    if let slash = query.firstIndex(of: "/") {
      let (namespace, name) = (query[..<slash], query[query.index(after: slash)...])
      let found = objects.filter { $0.value.isOf(podIn: namespace, named: name) }.values
      return found.isEmpty ? .unknown : .found(history(of: query, found))
    }
    guard !query.isEmpty else { return .unknown }
    let ids = objects[query] == nil ? ids(beginningWith: query) : [query]
    guard let id = ids.first else { return .unknown }
    guard ids.count == 1 else { return .ambiguous(ids.sorted()) }
    let found = objects.filter { $0.key == id || $0.value.podSandboxID == id }.values
    return .found(history(of: id, found))
  }

  private func ids(beginningWith beginning: String) -> Set<String> {
    var ids: Set<String> = []
    for (id, object) in objects {
      if id.hasPrefix(beginning), !id.contains("/") { ids.insert(id) }
      if let pod = object.podSandboxID, pod.hasPrefix(beginning) { ids.insert(pod) }
    }
    return ids
  }

  private func history(of id: String, _ found: some Sequence<Object>) -> AccountHistory {
    AccountHistory(
      id: id,
      accounts: found.flatMap(\.entries).sorted { $0.number < $1.number }.map(\.account),
      dropped: found.reduce(0) { $0 + $1.dropped })
  }
}

extension AccountBookState.Object {
  fileprivate var podSandboxID: String? { entries.last { $0.account.podSandboxID != nil }?.account.podSandboxID }

  fileprivate func isOf(podIn namespace: Substring, named name: Substring) -> Bool {
    entries.contains { entry in
      guard let pod = entry.account.pod else { return false }
      return pod.namespace == namespace && pod.name == name
    }
  }
}
