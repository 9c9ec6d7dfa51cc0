/// The fields of a request that cri.proto has, and which of them a change may touch. Written down here once more, by
/// number, because the tables of the code are what is tested.
final class KnownFields: Sendable {
  enum Kind: Sendable {
    case number
    /// A number of which 32 bits count.
    case number32
    case text
    /// A number that changes may touch.
    case changedNumber
    /// A text that changes may touch.
    case changedText
    /// A message that is there once.
    case message(KnownFields)
    /// Messages of which all stay, and stay in their order.
    case list(KnownFields)
    /// Entries of which only the last one of a key has to stay.
    case map(KnownFields)
  }

  let kinds: [UInt64: Kind]

  init(_ kinds: [UInt64: Kind]) { self.kinds = kinds }

  // MARK: Requests

  static let runPodSandbox = KnownFields([
    1: .message(podConfig(resources: resources(map: Kind.list), map: Kind.list)), 2: .text,
  ])

  static let createContainer = KnownFields([
    1: .text, 2: .message(containerConfig), 3: .message(podConfig(resources: untouchedResources, map: Kind.map)),
  ])

  static let updateContainerResources = KnownFields([
    1: .text, 2: .message(resources(map: Kind.map)), 4: .map(entry),
  ])

  // MARK: Answers of plugins

  static let podAnswer = KnownFields([
    1: .map(entry), 2: .map(entry), 3: .changedText, 4: .message(resources(map: Kind.map)),
  ])

  static let containerAnswer = KnownFields([
    1: .map(entry), 2: .message(resources(map: Kind.map)), 3: .changedText, 4: .map(entry),
  ])

  // MARK: Parts

  private static let entry = KnownFields([1: .text, 2: .changedText])
  private static let podMetadata = KnownFields([1: .text, 2: .text, 3: .text, 4: .number32])

  /// - Parameter map: RunPodSandbox keeps earlier entries of a key; where messages are decoded, a changed map has each
  ///   key once.
  private static func podConfig(resources: KnownFields, map: (KnownFields) -> Kind) -> KnownFields {
    let linux = KnownFields([1: .changedText, 4: .message(untouchedResources), 5: .message(resources)])
    return KnownFields([1: .message(podMetadata), 6: map(entry), 7: map(entry), 8: .message(linux)])
  }

  private static let containerConfig = KnownFields([
    1: .message(KnownFields([1: .text, 2: .number32])), 6: .list(entry), 10: .map(entry),
    15: .message(KnownFields([1: .message(resources(map: Kind.map))])),
  ])

  /// All that has a name here may be changed.
  private static func resources(map: (KnownFields) -> Kind) -> KnownFields {
    var kinds: [UInt64: Kind] = [
      6: .changedText, 7: .changedText, 8: .list(KnownFields([1: .text, 2: .changedNumber])), 9: map(entry),
    ]
    for number: UInt64 in [1, 2, 3, 4, 5, 10] { kinds[number] = .changedNumber }
    return KnownFields(kinds)
  }

  /// Those that no change is about: a pod's overhead, and what CreateContainer repeats of the pod's own.
  private static let untouchedResources: KnownFields = {
    var kinds: [UInt64: Kind] = [
      6: .text, 7: .text, 8: .list(KnownFields([1: .text, 2: .number])), 9: .list(KnownFields([1: .text, 2: .text])),
    ]
    for number: UInt64 in [1, 2, 3, 4, 5, 10] { kinds[number] = .number }
    return KnownFields(kinds)
  }()
}

extension KnownFields {
  /// The message in a field, if it is one that is known.
  private func message(in field: WireMessage.Field) -> (shape: KnownFields, bytes: [UInt8])? {
    guard case .bytes(let bytes) = field.value else { return nil }
    switch kinds[field.number] {
    case .message(let shape), .list(let shape), .map(let shape): return (shape, bytes)
    case .number, .number32, .text, .changedNumber, .changedText, nil: return nil
    }
  }

  private func isChangeable(_ field: WireMessage.Field) -> Bool {
    switch (kinds[field.number], field.value) {
    case (.changedNumber, .varint), (.changedText, .bytes): true
    default: message(in: field)?.shape.hasChangeable ?? false
    }
  }

  private var hasChangeable: Bool {
    kinds.values.contains { kind in
      switch kind {
      case .changedNumber, .changedText: true
      case .message(let shape), .list(let shape), .map(let shape): shape.hasChangeable
      case .number, .number32, .text: false
      }
    }
  }

  /// Whether no message that is to be there once is there twice: then there is nothing to be merged.
  func hasNothingTwice(in bytes: [UInt8]) throws -> Bool {
    var seen: Set<UInt64> = []
    return try WireMessage(bytes: bytes).fields.allSatisfy { field in
      guard let (shape, inner) = message(in: field) else { return true }
      if case .message = kinds[field.number], !seen.insert(field.number).inserted { return false }
      return try shape.hasNothingTwice(in: inner)
    }
  }

  /// Whether no key and no value in an entry of a map is of another type than a text.
  func hasTextsInMaps(_ bytes: [UInt8]) throws -> Bool {
    try WireMessage(bytes: bytes).fields.allSatisfy { field in
      guard let (shape, inner) = message(in: field) else { return true }
      guard case .map = kinds[field.number] else { return try shape.hasTextsInMaps(inner) }
      return try WireMessage(bytes: inner).fields.allSatisfy { part in
        if case .bytes = part.value { true } else { shape.kinds[part.number] == nil }
      }
    }
  }

  /// Whether `after` is `before` but for what changes may touch: every other field is there in its own bytes and in its
  /// place, and messages that are new are behind them.
  func isKeptInPlace(_ before: [UInt8], _ after: [UInt8]) throws -> Bool {
    var rest = try WireMessage.split(after).filter { !isChangedValue($0.field) }[...]
    for (field, bytes) in try WireMessage.split(before) where !isChangedValue(field) {
      guard let next = rest.popFirst(), next.field.number == field.number else { return false }
      if isChangeable(field), let old = message(in: field), let new = message(in: next.field) {
        guard try old.shape.isKeptInPlace(old.bytes, new.bytes) else { return false }
      } else if next.bytes != bytes {
        return false
      }
    }
    return rest.allSatisfy { isChangeable($0.field) }
  }

  private func isChangedValue(_ field: WireMessage.Field) -> Bool {
    isChangeable(field) && message(in: field) == nil
  }
}
