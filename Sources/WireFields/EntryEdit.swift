/// New values for entries of a map, or of a list that is used like one.
package struct EntryEdit: Sendable {
  /// Of several entries with the same key, which get the new value.
  package enum Duplicates: Sendable {
    /// The last, which is the one that counts; the others stay.
    case last
    /// All, so that none contradicts.
    case every
  }

  let entries: [WireEntry]
  private let index: KeyIndex
  private let duplicates: Duplicates

  /// - Parameter entries: Of several with the same key the last counts.
  init(_ entries: [WireEntry], of duplicates: Duplicates) {
    let all = KeyIndex(entries.map(\.key))
    let isOne = entries.count < 2
    self.entries =
      isOne ? entries : entries.indices.filter { all.index(of: entries[$0].key) == $0 }.map { entries[$0] }
    self.duplicates = duplicates
    index = self.entries.count == entries.count ? all : KeyIndex(self.entries.map(\.key))
  }

  /// The entries in a message that get a new value.
  func places(in bytes: [UInt8], _ range: Range<Int>, number: Int) -> EntryPlaces {
    var found: [(start: Int, entry: Int)] = []
    for field in WireFields(bytes, in: range) where field.number == number && field.type == .bytes {
      if let entry = index.index(of: bytes.entryKey(in: field.content), in: bytes) {
        found.append((field.start, entry))
      }
    }
    return EntryPlaces(found, last: duplicates == .last, of: entries.count)
  }

  /// The entries that were not found, in the order of their keys.
  func missing(isFound: [Bool]) -> [WireEntry] {
    let missing = zip(entries, isFound).filter { !$1 }.map(\.0)
    return missing.count < 2 ? missing : missing.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }
}

/// Where a message has the entries of an ``EntryEdit``.
struct EntryPlaces {
  /// The next one last.
  private var places: [(start: Int, entry: Int)] = []
  /// Whether the message has it, for each entry.
  private(set) var isFound: [Bool]

  init(_ found: [(start: Int, entry: Int)], last: Bool, of count: Int) {
    isFound = [Bool](repeating: false, count: count)
    for place in found.reversed() {
      if !last || !isFound[place.entry] { places.append(place) }
      isFound[place.entry] = true
    }
  }

  /// Whether the field that begins at `start` is the next one; to be asked in the order of the fields.
  func has(_ start: Int) -> Bool { places.last?.start == start }

  /// The entry whose value the next one gets.
  mutating func next() -> Int? { places.popLast()?.entry }
}
