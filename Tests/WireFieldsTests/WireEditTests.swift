import Testing
import WireFields

/// Changing some fields of an encoded message.
@Suite struct WireEditTests {
  @Test func everythingElseStaysByteForByte() {
    // 2: 5 (in two bytes), 1: "a", 77: fixed32, 1: "b"
    let message: [UInt8] = [0x10, 0x85, 0x00, 0x0a, 1, 0x61, 0xed, 0x04, 1, 2, 3, 4, 0x0a, 1, 0x62]
    var edit = WireEdit()
    #expect(edit.applied(to: message) == message)
    edit.setText("xy", at: WirePath(1))
    // Twice there: the one that counts is the only one left.
    #expect(edit.applied(to: message) == [0x10, 0x85, 0x00, 0x0a, 2, 0x78, 0x79, 0xed, 0x04, 1, 2, 3, 4])
  }

  @Test func whatIsAbsentFollowsBehindAndMessagesAreCreated() {
    var edit = WireEdit()
    edit.setNumber(300, at: WirePath(8, 5, 3))
    edit.setText("/x", at: WirePath(8, 1))
    #expect(edit.applied(to: [0x08, 1]) == [0x08, 1, 0x42, 9, 0x2a, 3, 0x18, 0xac, 0x02, 0x0a, 2, 0x2f, 0x78])
  }

  @Test func aLaterValueReplacesAnEarlierOne() {
    var edit = WireEdit()
    edit.setNumber(1, at: WirePath(2, 1))
    edit.setNumber(2, at: WirePath(2, 1))
    #expect(edit.applied(to: []) == [0x12, 2, 0x08, 2])
  }

  @Test func removingTakesOutAndCreatesNothing() {
    var edit = WireEdit()
    edit.remove(at: WirePath(2, 6))
    #expect(edit.applied(to: []) == [])
    #expect(edit.applied(to: [0x12, 5, 0x08, 1, 0x32, 1, 0x30]) == [0x12, 2, 0x08, 1])
    #expect(!edit.isEmpty)
  }

  @Test func aFieldOfAnotherTypeIsAnotherField() {
    var edit = WireEdit()
    edit.setNumber(7, at: WirePath(1))
    #expect(edit.applied(to: [0x0a, 1, 0x61]) == [0x0a, 1, 0x61, 0x08, 7])
  }

  // MARK: Entries

  @Test func ofSeveralEntriesTheLastGetsTheValue() {
    #expect(
      edited([("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")], [("a", "9")], of: .last)
        == [("a", "1"), ("b", "2"), ("a", "9"), ("c", "4")].bytes)
  }

  @Test func orAllDo() {
    #expect(
      edited([("a", "1"), ("b", "2"), ("a", "3")], [("a", "9")], of: .every)
        == [("a", "9"), ("b", "2"), ("a", "9")].bytes)
  }

  @Test func newKeysFollowInTheOrderOfTheirBytes() {
    #expect(
      edited([("z", "1")], [("é", "v"), ("b", "v"), ("B", "v"), ("a", "v"), ("z", "2")], of: .last)
        == [("z", "2"), ("B", "v"), ("a", "v"), ("b", "v"), ("é", "v")].bytes)
  }

  @Test func ofTwoNewValuesForAKeyTheLaterCounts() {
    #expect(edited([], [("a", "1"), ("a", "2")], of: .last) == [("a", "2")].bytes)
    #expect(edited([("a", "0")], [("a", "1"), ("a", "2")], of: .every) == [("a", "2")].bytes)
  }

  @Test func manyKeysAreFoundAsFewAre() {
    let before = (0..<100).map { ("k\($0 % 60)", "old") }
    let changes = (0..<50).map { ("k\($0 * 2)", "new") }
    var after = before
    for (key, value) in changes.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
      if let index = after.lastIndex(where: { $0.0 == key }) {
        after[index].1 = value
      } else {
        after.append((key, value))
      }
    }
    #expect(edited(before, changes, of: .last) == after.bytes)
  }

  @Test func whatElseIsInAnEntryStays() {
    // {2: "1", 9: 7, 1: "a", 2: "3"}: the value stands first and again, and something is unknown.
    let message: [UInt8] = [0x0a, 11, 0x12, 1, 0x31, 0x48, 7, 0x0a, 1, 0x61, 0x12, 1, 0x33]
    var edit = WireEdit()
    edit.setEntries([WireEntry("a", "9")], at: WirePath(1), of: .last)
    #expect(edit.applied(to: message) == [0x0a, 8, 0x12, 1, 0x39, 0x48, 7, 0x0a, 1, 0x61])
    // No key is the empty key, and no value an empty one.
    edit = WireEdit()
    edit.setEntries([WireEntry("", "9")], at: WirePath(1), of: .last)
    #expect(edit.applied(to: [0x0a, 0]) == [0x0a, 3, 0x12, 1, 0x39])
  }

  @Test func numbersAreValuesToo() {
    var edit = WireEdit()
    edit.setEntries([WireEntry("2MB", 4), WireEntry("1GB", 300)], at: WirePath(8), of: .every)
    #expect(
      edit.applied(to: [0x42, 7, 0x0a, 3, 0x32, 0x4d, 0x42, 0x10, 1])
        == [0x42, 7, 0x0a, 3, 0x32, 0x4d, 0x42, 0x10, 4, 0x42, 8, 0x0a, 3, 0x31, 0x47, 0x42, 0x10, 0xac, 0x02])
  }

  private func edited(
    _ before: [(String, String)], _ changes: [(String, String)], of duplicates: EntryEdit.Duplicates
  ) -> [UInt8] {
    var edit = WireEdit()
    edit.setEntries(changes.map { WireEntry($0, $1) }, at: WirePath(1), of: duplicates)
    return edit.applied(to: before.bytes)
  }
}

extension [(String, String)] {
  /// A message with these entries of its map 1.
  fileprivate var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for (key, value) in self {
      var entry: [UInt8] = []
      entry.append(field: 1, [UInt8](key.utf8)[...])
      entry.append(field: 2, [UInt8](value.utf8)[...])
      bytes.append(field: 1, entry[...])
    }
    return bytes
  }
}
