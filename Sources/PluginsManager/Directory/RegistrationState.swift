internal import FoundationEssentials

/// All registrations and their history: what a look at the directory means, without looking.
///
/// A broken file never costs anything but itself: its last good version stays in force until the file is good
/// again or gone. A directory that cannot be trusted or read freezes everything as it was.
struct RegistrationState: Sendable {
  private var entries: [String: Entry] = [:]
  private var directory: DirectoryCondition = .readable
  /// Never goes back, so that a file deleted and created anew is seen as changed.
  private var lastVersion: UInt64 = 0

  /// Takes in one look and returns what changed, to be logged; nothing changed in ``snapshot`` if it is empty.
  /// - Parameter now: The time of day.
  mutating func apply(_ scan: DirectoryScan, at now: Date) -> [RegistrationEvent] {
    switch scan {
    case .absent:
      return enter(.absent) + forgetAll { _ in true }
    case .refused(let error):
      return enter(.refused(error))
    case .files(let files):
      let names = Set(files.map(\.name))
      var events = enter(.readable) + forgetAll { !names.contains($0) }
      for file in files.sorted(by: { String.inByteOrder($0.name, $1.name) }) {
        if let event = apply(file, at: now) { events.append(event) }
      }
      return events
    }
  }

  var snapshot: RegistrationSnapshot {
    RegistrationSnapshot(
      registry: Registry(plugins: entries.values.compactMap { $0.good?.plugin }),
      files: entries.map { $1.state(of: $0) }.sorted { String.inByteOrder($0.name, $1.name) },
      directory: directory)
  }

  private mutating func enter(_ condition: DirectoryCondition) -> [RegistrationEvent] {
    guard condition != directory else { return [] }
    directory = condition
    return [.directory(condition)]
  }

  private mutating func forgetAll(where isGone: (String) -> Bool) -> [RegistrationEvent] {
    let gone = entries.keys.filter(isGone).sorted(by: String.inByteOrder)
    for name in gone { entries[name] = nil }
    return gone.map { .removed(name: $0) }
  }

  private mutating func apply(_ file: ScannedFile, at now: Date) -> RegistrationEvent? {
    let known = entries[file.name]
    do throws(RegistrationError) {
      let content = try file.content.get()
      if let good = known?.good, good.content == content {
        guard known?.error != nil else { return nil }
        entries[file.name] = Entry(good: good, since: now)
        return .recovered(name: file.name)
      }
      let registration = try Registration(decoding: content, file: file.path)
      lastVersion += 1
      let plugin = registration.plugin(name: String(file.name.dropLast(".json".count)), version: lastVersion)
      entries[file.name] = Entry(
        good: .init(content: content, plugin: plugin, warnings: registration.warnings), since: now)
      return known?.good == nil
        ? .registered(plugin, registration.warnings) : .changed(plugin, registration.warnings)
    } catch {
      guard known?.error != error else { return nil }
      entries[file.name] = Entry(good: known?.good, error: error, since: now)
      return known?.good == nil ? .rejected(error) : .lastGoodKept(error)
    }
  }
}

extension RegistrationState {
  /// One file: the last good version, and what is wrong now. At least one of them is there.
  private struct Entry {
    struct Good {
      let content: [UInt8]
      let plugin: Plugin
      let warnings: [RegistrationWarning]
    }

    var good: Good?
    var error: RegistrationError?
    let since: Date

    func state(of name: String) -> FileState {
      let condition: FileState.Condition =
        switch (error, good) {
        case (nil, _): .good
        case (let error?, nil): .rejected(error)
        case (let error?, .some): .lastGoodKept(error)
        }
      return FileState(name: name, condition: condition, warnings: good?.warnings ?? [], since: since)
    }
  }
}
