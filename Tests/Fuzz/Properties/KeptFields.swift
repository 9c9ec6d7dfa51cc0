/// What of a request no change may touch: all that is unknown to cri.proto, and the known fields that plugins have no
/// name for. Taken out of its bytes by hand, in the message's own words, so that any encoding of it gives the same.
struct KeptFields: Equatable {
  /// What is unknown at a place, in its order: fields that cri.proto leaves out or that do not exist yet, and known
  /// ones of another type on the wire.
  private(set) var unknown: [WireMessage.Field] = []
  /// Known numbers and texts, the last of each; zero and empty are absent.
  private(set) var values: [UInt64: WireMessage.Value] = [:]
  /// Messages that are there once; those that have nothing to keep are as good as absent.
  private(set) var messages: [UInt64: KeptFields] = [:]
  /// Messages that are there any number of times.
  private(set) var lists: [UInt64: [KeptFields]] = [:]

  private var isEmpty: Bool { self == KeptFields() }

  /// - Throws: the bytes cannot be read without a schema: there is a group in them.
  init(_ bytes: [UInt8], _ shape: KnownFields) throws {
    // Two halves of a message, one behind the other, are the message.
    var parts: [UInt64: [UInt8]] = [:]
    for field in try WireMessage(bytes: bytes).fields {
      switch (shape.kinds[field.number], field.value) {
      case (.number, .varint), (.text, .bytes): values[field.number] = field.value
      case (.number32, .varint(let number)): values[field.number] = .varint(number & 0xffff_ffff)
      case (.changedNumber, .varint), (.changedText, .bytes): break
      case (.message, .bytes(let part)): parts[field.number, default: []] += part
      case (.list(let shape), .bytes(let element)), (.map(let shape), .bytes(let element)):
        lists[field.number, default: []].append(try KeptFields(element, shape))
      default: unknown.append(field)
      }
    }
    values = values.filter { $1 != .varint(0) && $1 != .bytes([]) }
    for (number, bytes) in parts {
      guard case .message(let shape) = shape.kinds[number] else { continue }
      let message = try KeptFields(bytes, shape)
      if !message.isEmpty { messages[number] = message }
    }
    for (number, entries) in lists {
      if case .map = shape.kinds[number] { lists[number] = Self.lastOfEachKey(entries) }
    }
  }

  private init() {}

  /// Those that count in a map.
  private static func lastOfEachKey(_ entries: [KeptFields]) -> [KeptFields] {
    var seen: Set<String> = []
    return entries.reversed().filter { seen.insert($0.key).inserted }.reversed()
  }

  /// As a dictionary compares it.
  private var key: String {
    guard case .bytes(let key) = values[1] else { return "" }
    return String(decoding: key, as: UTF8.self)
  }

  /// Whether all of it is in `other` as well. What else is there are new elements of lists, behind the old ones, of
  /// which nothing is unknown.
  func isKept(in other: KeptFields) -> Bool {
    guard unknown == other.unknown, values == other.values else { return false }
    let numbers = Set(messages.keys).union(other.messages.keys)
    guard numbers.allSatisfy({ (messages[$0] ?? .init()).isKept(in: other.messages[$0] ?? .init()) }) else {
      return false
    }
    return Set(lists.keys).union(other.lists.keys).allSatisfy { number in
      let (before, after) = (lists[number] ?? [], other.lists[number] ?? [])
      return after.count >= before.count && zip(before, after).allSatisfy { $0.isKept(in: $1) }
        && after.dropFirst(before.count).allSatisfy { $0.unknown.isEmpty }
    }
  }
}
