internal import WireFields

extension FieldPlaces {
  // MARK: Some fields

  /// What the message says about each of `fields`; nil for empty, zero, absent, or a field that it does not have.
  func values(of fields: [Field], in message: [UInt8]) -> [FieldValue?] {
    // A plugin changes few fields as a rule, and may change as many as fit into its answer.
    fields.count <= 4 ? fields.map { value(of: $0, in: message) } : manyValues(of: fields, in: message)
  }

  private func value(of field: Field, in message: [UInt8]) -> FieldValue? {
    switch field {
    case .label(let key): labels.flatMap { message.text(of: key, at: $0) }.map { .text($0) }
    case .annotation(let key): annotations.flatMap { message.text(of: key, at: $0) }.map { .text($0) }
    case .env(let key): envs.flatMap { message.text(of: key, at: $0) }.map { .text($0) }
    case .unified(let key):
      resources.flatMap { message.text(of: key, at: $0.appending(Self.unifiedNumber)) }.map { .text($0) }
    case .cgroupParent: cgroupParent.flatMap { message.value(at: $0) }
    case .resource(let field): resources.flatMap { message.value(of: field, at: $0) }
    case .hugepageLimit: manyValues(of: [field], in: message)[0]
    }
  }

  /// One pass over the message, however many fields are asked for.
  private func manyValues(of fields: [Field], in message: [UInt8]) -> [FieldValue?] {
    var asked = Asked(count: fields.count)
    for (index, field) in fields.enumerated() {
      switch field {
      case .label(let key): asked.labels.append((index, key))
      case .annotation(let key): asked.annotations.append((index, key))
      case .env(let key): asked.envs.append((index, key))
      case .hugepageLimit(let pageSize): asked.hugepageLimits.append((index, pageSize))
      case .unified(let key): asked.unified.append((index, key))
      case .cgroupParent: asked.values[index] = cgroupParent.flatMap { message.value(at: $0) }
      case .resource(let field): asked.values[index] = resources.flatMap { message.value(of: field, at: $0) }
      }
    }
    if let labels { asked.find(asked.labels, at: labels, in: message) }
    if let annotations { asked.find(asked.annotations, at: annotations, in: message) }
    if let envs { asked.find(asked.envs, at: envs, in: message) }
    if let resources {
      asked.find(asked.unified, at: resources.appending(Self.unifiedNumber), in: message)
      asked.find(asked.hugepageLimits, at: resources.appending(Self.hugepageLimitsNumber), in: message, isLimit: true)
    }
    return asked.values
  }

  /// What is asked of a message, and what it answers.
  private struct Asked {
    typealias Keys = [(index: Int, key: String)]

    var values: [FieldValue?]
    var labels: Keys = []
    var annotations: Keys = []
    var envs: Keys = []
    var hugepageLimits: Keys = []
    var unified: Keys = []

    init(count: Int) { values = [FieldValue?](repeating: nil, count: count) }

    mutating func find(_ keys: Keys, at path: WirePath, in message: [UInt8], isLimit: Bool = false) {
      guard !keys.isEmpty else { return }
      let index = KeyIndex(keys.map { Array($0.key.utf8) })
      message.forEachEntry(at: path) { entry in
        // Of several with the same key the last stays.
        guard let found = index.index(of: message.entryKey(in: entry), in: message) else { return }
        values[keys[found].index] =
          isLimit ? .limit(message.entryNumber(in: entry)) : .text(message.text(in: message.entryText(in: entry)))
      }
    }
  }

  // MARK: All fields

  /// Everything that a message has an opinion on, in a fixed order. Numbers and texts have one if they are not zero or
  /// empty; an entry of a map has one by being there, and one for a page size if that has a name.
  func opinions(in message: [UInt8]) -> Opinions {
    var opinions = Opinions()
    if let labels { opinions.changes += message.texts(at: labels) { .label(key: $0) } }
    if let annotations { opinions.changes += message.texts(at: annotations) { .annotation(key: $0) } }
    if let cgroupParent, let parent = message.value(at: cgroupParent) {
      opinions.changes.append(Change(.cgroupParent, parent))
    }
    if let resources, message.content(at: resources) != nil {
      opinions.hasResources = true
      for field in ResourceField.allCases {
        if let value = message.value(of: field, at: resources) {
          opinions.changes.append(Change(.resource(field), value))
        }
      }
      opinions.changes += message.limits(at: resources.appending(Self.hugepageLimitsNumber))
      opinions.changes += message.texts(at: resources.appending(Self.unifiedNumber)) { .unified(key: $0) }
    }
    if let envs { opinions.changes += message.texts(at: envs) { .env(key: $0) } }
    return opinions
  }
}

extension [UInt8] {
  /// Calls `body` with the content of each entry at the end of `path`.
  fileprivate func forEachEntry(at path: WirePath, _ body: (Range<Int>) -> Void) {
    guard let list = container(of: path) else { return }
    let number = path.last
    for field in WireFields(self, in: list) where field.number == number && field.type == .bytes { body(field.content) }
  }

  /// The text at `path`, nil if it is empty or absent.
  fileprivate func value(at path: WirePath) -> FieldValue? {
    content(at: path).flatMap { FieldValue(nonEmpty: text(in: $0)) }
  }

  /// What resources say about a field; nil for empty, zero or absent.
  fileprivate func value(of field: ResourceField, at resources: WirePath) -> FieldValue? {
    guard let message = content(at: resources) else { return nil }
    guard field.isNumber else {
      return last(field.number, .bytes, in: message).flatMap { FieldValue(nonEmpty: text(in: $0.content)) }
    }
    return last(field.number, .varint, in: message).flatMap { FieldValue(nonZero: Int64(bitPattern: number(of: $0))) }
  }

  /// A change for each key of a map of texts, in byte order of the keys. Of several entries the last counts.
  fileprivate func texts(at path: WirePath, _ field: (String) -> Field) -> [Change] {
    var entries: [(key: ArraySlice<UInt8>, text: Range<Int>)] = []
    forEachEntry(at: path) { entries.append((self[entryKey(in: $0)], entryText(in: $0))) }
    if entries.count > 1 {
      // The places in the array are in the order of the entries.
      entries.sort {
        $0.key == $1.key
          ? $0.text.lowerBound < $1.text.lowerBound : $0.key.lexicographicallyPrecedes($1.key)
      }
    }
    return entries.indices.compactMap { index in
      let (key, value) = entries[index]
      if index + 1 < entries.count, entries[index + 1].key == key { return nil }
      return Change(field(text(in: key.indices)), .text(text(in: value)))
    }
  }

  /// A change for each page size, in the order of the last entries for each.
  fileprivate func limits(at path: WirePath) -> [Change] {
    var entries: [Range<Int>] = []
    forEachEntry(at: path) { entries.append($0) }
    var seen: Set<ArraySlice<UInt8>> = []
    let changes = entries.reversed().compactMap { entry -> Change? in
      let key = entryKey(in: entry)
      guard !key.isEmpty, seen.insert(self[key]).inserted else { return nil }
      return Change(.hugepageLimit(pageSize: text(in: key)), .limit(entryNumber(in: entry)))
    }
    return changes.reversed()
  }
}
