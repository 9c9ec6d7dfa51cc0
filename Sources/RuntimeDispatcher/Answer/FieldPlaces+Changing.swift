internal import WireFields

extension FieldPlaces {
  /// Makes changes in a message. What is not in its places is passed over, and so is a value of the wrong kind.
  ///
  /// Messages that are absent are created when a value needs them. A change of a label, an annotation or an env is
  /// one of the entry that counts, the last of its key; new ones follow in the byte order of their keys. A huge page
  /// limit replaces every entry of its page size. To clear takes the field out, and creates nothing.
  package func apply(_ changes: [Change], to message: inout [UInt8]) {
    let edit = edit(changes)
    if !edit.isEmpty { message = edit.applied(to: message) }
  }

  private func edit(_ changes: [Change]) -> WireEdit {
    var edit = WireEdit()
    var labels: [WireEntry] = []
    var annotations: [WireEntry] = []
    var unified: [WireEntry] = []
    var hugepageLimits: [WireEntry] = []
    var envs: [WireEntry] = []
    for change in changes {
      switch change.field {
      case .label(let key): if let text = change.value.text { labels.append(WireEntry(key, text)) }
      case .annotation(let key): if let text = change.value.text { annotations.append(WireEntry(key, text)) }
      case .unified(let key): if let text = change.value.text { unified.append(WireEntry(key, text)) }
      case .env(let key): if let text = change.value.text { envs.append(WireEntry(key, text)) }
      case .hugepageLimit(let pageSize):
        if case .limit(let limit) = change.value { hugepageLimits.append(WireEntry(pageSize, limit)) }
      case .cgroupParent: if let cgroupParent, let text = change.value.text { edit.setText(text, at: cgroupParent) }
      case .resource(let field):
        guard let resources else { break }
        Self.set(change.value, at: resources.appending(field.number), isNumber: field.isNumber, in: &edit)
      }
    }
    if let path = self.labels { edit.setEntries(labels, at: path, of: .last) }
    if let path = self.annotations { edit.setEntries(annotations, at: path, of: .last) }
    if let path = self.envs { edit.setEntries(envs, at: path, of: .last) }
    if let resources {
      edit.setEntries(hugepageLimits, at: resources.appending(Self.hugepageLimitsNumber), of: .every)
      edit.setEntries(unified, at: resources.appending(Self.unifiedNumber), of: .last)
    }
    return edit
  }

  private static func set(_ value: FieldValue, at path: WirePath, isNumber: Bool, in edit: inout WireEdit) {
    switch (value, isNumber) {
    case (.number(let number), true): edit.setNumber(UInt64(bitPattern: number), at: path)
    case (.text(let text), false): edit.setText(text, at: path)
    case (.cleared, false): edit.remove(at: path)
    case (.number, false), (.text, true), (.cleared, true), (.limit, _): break
    }
  }
}
