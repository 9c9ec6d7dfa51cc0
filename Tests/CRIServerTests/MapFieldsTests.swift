import CRIMessages
import SwiftProtobuf
import Testing

/// Maps of requests that are edited, as entries and as dictionaries.
@Suite struct MapFieldsTests {
  private func entry(_ key: String, _ value: String) -> CRIMapEntry {
    .with { ($0.key, $0.value) = (key, value) }
  }

  @Test func theLastEntryOfAKeyCounts() {
    let entries = [entry("a", "1"), entry("b", "2"), entry("a", "3")]
    #expect(entries.dictionary == ["a": "3", "b": "2"])
  }

  @Test func entriesThatStayKeepTheirPlaceAndWhatIsUnknownInThem() throws {
    // Field 3 of an entry does not exist.
    let odd = try CRIMapEntry(serializedBytes: [0x0a, 1, 0x62, 0x12, 1, 0x32, 0x1a, 1, 0x78])
    var entries = [entry("z", "1"), odd, entry("a", "3")]
    entries.dictionary["c"] = "4"
    entries.dictionary["a"] = "5"
    #expect(entries == [entry("z", "1"), odd, entry("a", "5"), entry("c", "4")])
    entries.dictionary["z"] = nil
    #expect(entries == [odd, entry("a", "5"), entry("c", "4")])
  }

  @Test func ofSeveralEntriesOfAKeyOneIsLeft() {
    var entries = [entry("a", "1"), entry("b", "2"), entry("a", "3")]
    entries.dictionary["a"] = "4"
    #expect(entries == [entry("b", "2"), entry("a", "4")])
  }

  @Test func newEntriesAreSorted() {
    var config = CRIPodSandboxConfig()
    config.labels = ["c": "3", "a": "1", "b": "2"]
    #expect(config.labelEntries.map(\.key) == ["a", "b", "c"])
  }
}
