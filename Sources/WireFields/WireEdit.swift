/// What is to become of some fields of an encoded message. Everything else stays as it is, byte for byte, where it is:
/// unknown fields, order, duplicates.
///
/// Messages on the way to a field are created when a value needs them.
package struct WireEdit: Sendable {
  private struct Action: Sendable {
    enum Kind: Sendable {
      /// The field as it is to be, its tag included.
      case set([UInt8])
      case remove
      case entries(EntryEdit)
      case message(WireEdit)
    }

    let number: Int
    let type: WireType
    var kind: Kind
  }

  /// One for each field number: at most 64, far more than a message has fields that are ever changed.
  private var actions: [Action] = []

  package init() {}

  package var isEmpty: Bool { actions.isEmpty }

  // MARK: What is to be changed

  package mutating func setText(_ text: String, at path: WirePath) {
    var field: [UInt8] = []
    field.append(field: path.last, Array(text.utf8)[...])
    set(path, .bytes, .set(field))
  }

  package mutating func setNumber(_ value: UInt64, at path: WirePath) {
    var field: [UInt8] = []
    field.append(field: path.last, varint: value)
    set(path, .varint, .set(field))
  }

  /// Takes a text or a message out, if there is one.
  package mutating func remove(at path: WirePath) { set(path, .bytes, .remove) }

  /// Gives entries of a map, or of a list that is used like one, another value. Keys that are not there follow behind
  /// all other fields, in the order of their bytes.
  package mutating func setEntries(_ entries: [WireEntry], at path: WirePath, of duplicates: EntryEdit.Duplicates) {
    guard !entries.isEmpty else { return }
    set(path, .bytes, .entries(EntryEdit(entries, of: duplicates)))
  }

  private mutating func set(_ path: WirePath, _ type: WireType, _ kind: Action.Kind) {
    let number = path.first
    let index = actions.firstIndex { $0.number == number }
    var action = Action(number: number, type: type, kind: kind)
    if let rest = path.rest {
      var inner = WireEdit()
      if let index, case .message(let present) = actions[index].kind { inner = present }
      inner.set(rest, type, kind)
      action = Action(number: number, type: .bytes, kind: .message(inner))
    }
    if let index { actions[index] = action } else { actions.append(action) }
  }

  // MARK: Changing

  /// - Parameter bytes: A message of which a ``WireShape`` has admitted what is on the paths.
  package func applied(to bytes: [UInt8]) -> [UInt8] {
    var edited: [UInt8] = []
    edited.reserveCapacity(bytes.count + 64)
    append(bytes, in: bytes.indices, to: &edited)
    return edited
  }

  /// Appends the message in `range` of `bytes` as it is to be.
  private func append(_ bytes: [UInt8], in range: Range<Int>, to edited: inout [UInt8]) {
    // Of the actions that are about entries.
    var places = actions.map { action -> EntryPlaces? in
      if case .entries(let edit) = action.kind { edit.places(in: bytes, range, number: action.number) } else { nil }
    }
    var done: UInt64 = 0
    // Up to here the old bytes are written, or replaced.
    var taken = range.lowerBound
    for field in WireFields(bytes, in: range) {
      guard let index = actions.firstIndex(where: { $0.number == field.number }), actions[index].type == field.type,
        places[index]?.has(field.start) ?? true
      else { continue }
      edited += bytes[taken..<field.start]
      taken = field.range.upperBound
      let bit: UInt64 = 1 << UInt64(index)
      switch actions[index].kind {
      case .set(let whole): if done & bit == 0 { edited += whole }
      case .remove: break
      case .message(let edit):
        edited.append(field: field.number) { edit.append(bytes, in: field.content, to: &$0) }
      case .entries(let edit):
        guard let entry = places[index]?.next() else { break }
        edited.append(field: field.number) { edit.entries[entry].append(replacing: bytes, in: field.content, to: &$0) }
      }
      done |= bit
    }
    edited += bytes[taken..<range.upperBound]
    appendMissing(to: &edited, done: done, places)
  }

  private func appendMissing(to edited: inout [UInt8], done: UInt64, _ places: [EntryPlaces?]) {
    for index in actions.indices {
      let isDone = done & 1 << UInt64(index) != 0
      switch actions[index].kind {
      case .set(let whole): if !isDone { edited += whole }
      case .remove: break
      case .message(let edit):
        let inner = isDone ? [] : edit.applied(to: [])
        if !inner.isEmpty { edited.append(field: actions[index].number, inner[...]) }
      case .entries(let edit):
        for entry in edit.missing(isFound: places[index]?.isFound ?? []) {
          edited.append(field: actions[index].number) { entry.append(to: &$0) }
        }
      }
    }
  }
}
