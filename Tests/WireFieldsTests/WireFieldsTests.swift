import SwiftProtobuf
import Testing
import WireFields

/// Taking encoded messages apart into fields.
@Suite struct WireFieldsTests {
  @Test func everyTypeIsAFieldAndNothingIsDecoded() {
    // 1: varint 300; 2: fixed64; 3: bytes "ab"; 4: a group with a field in it; 5: fixed32.
    let bytes: [UInt8] =
      [0x08, 0xac, 0x02, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, 0x61, 0x62, 0x23, 0x08, 1, 0x24, 0x2d, 1, 2, 3, 4]
    let fields = Array(WireFields(bytes))
    #expect(fields.map(\.number) == [1, 2, 3, 4, 5])
    #expect(fields.map(\.type) == [.varint, .fixed64, .bytes, .startGroup, .fixed32])
    #expect(fields.map(\.range) == [0..<3, 3..<12, 12..<16, 16..<20, 20..<25])
    #expect(bytes.number(of: fields[0]) == 300)
    #expect(bytes.text(in: fields[2].content) == "ab")
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x11, 1, 2, 3], [0x1a, 2, 0x61], [0x2d, 1, 2, 3],  // cut short
      [0x00, 1], [0x07], [0x0e], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1], [0xf8, 0xff, 0xff, 0xff, 0x1f, 1],  // no tag
      [0x0c], [0x0b, 0x14], [0x0b, 0x08, 1],  // groups that do not match
      [0x08] + [UInt8](repeating: 0x80, count: 10) + [1],  // eleven bytes of number
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // a length beyond everything
    ] as [[UInt8]])
  func whatIsNoFieldEndsTheMessage(bytes: [UInt8]) {
    let good: [UInt8] = [0x18, 7]
    var fields = WireFields(good + bytes)
    #expect(fields.next()?.range == 0..<2)
    #expect(fields.next() == nil)
    #expect(!fields.isAtEnd)
  }

  /// A length as it is encoded, overlong ones too, and what it is.
  @Test(
    arguments: [
      ([0], 0), ([1], 1), ([0x7f], 127), ([0x80, 1], 128), ([0xff, 0x7f], 16383), ([0x80, 0x80, 1], 16384),
      ([0x85, 0], 5), ([0x80, 0], 0), ([0x85, 0x80, 0], 5), ([0x85, 0x80, 0x80, 0x80, 0x80, 0], 5),
    ] as [([UInt8], Int)])
  func aLengthHasAnyForm(length: [UInt8], count: Int) {
    let field = [0x1a] + length + [UInt8](repeating: 0x61, count: count)
    for behind in [[], [0x18, 7], [0x12, 0]] as [[UInt8]] {
      var fields = WireFields(field + behind)
      let found = fields.next()
      #expect(found?.range == field.indices && found?.content == 1 + length.count..<field.count)
      #expect(found?.number == 3 && found?.type == .bytes)
      #expect((fields.next() == nil) == behind.isEmpty && fields.isAtEnd)
    }
    var short = WireFields(field.dropLast() + [])
    #expect(short.next() == nil && !short.isAtEnd)
    var ofAPart = WireFields([0xff] + field + [0xff], in: 1..<field.count + 1)
    #expect(ofAPart.next()?.range == 1..<field.count + 1 && ofAPart.isAtEnd)
  }

  /// The short way to key and text against the fields themselves, over every pair of bytes where lengths and tags are.
  @Test func anEntryIsWhatItsFieldsSay() {
    for first in 0...UInt8.max {
      for second in [0, 1, 2, 3, 4, 5, 0x0a, 0x12, 0x7f, 0x80, 0x81, 0x82, 0xff] as [UInt8] {
        for entry in [
          [0x0a, first, 0x61, 0x12, second, 0x62, 0x63], [0x0a, 1, 0x61, first, second, 0x62],
          [0x0a, 1, 0x61, 0x12, first, second, 0x62, 0x63], [first, second, 0x12, 0], [0x0a, 0, first, second],
          [0x0a, first, second], [0x12, first, second, 0x61],
        ] as [[UInt8]] {
          let bytes = [0x61] + entry + [0x61, 0x61]
          let range = 1..<entry.count + 1
          #expect(bytes.entryKey(in: range) == bytes.last(1, .bytes, in: range)?.content ?? 1..<1, "\(entry)")
          #expect(bytes.entryText(in: range) == bytes.last(2, .bytes, in: range)?.content ?? 1..<1, "\(entry)")
        }
      }
    }
  }

  @Test func aMessageThatIsReadToItsEndIsAtIt() {
    var empty = WireFields([])
    #expect(empty.next() == nil && empty.isAtEnd)
    var one = WireFields([0x08, 1])
    while one.next() != nil {}
    #expect(one.isAtEnd)
  }

  @Test func aNumberHasTenBytesAtMost() {
    let minusOne = [UInt8](repeating: 0xff, count: 9) + [1]
    var cursor = 0
    #expect(minusOne.varint(at: &cursor, before: minusOne.count) == .max)
    #expect(cursor == 10)
  }

  @Test func groupsAreFollowedToALimit() {
    let groups = { [UInt8](repeating: 0x0b, count: $0) + [UInt8](repeating: 0x0c, count: $0) }
    #expect(Array(WireFields(groups(64))).count == 1)
    // What follows deeper would need a stack that the sender chooses.
    #expect(Array(WireFields(groups(65))).isEmpty)
    #expect(Array(WireFields([UInt8](repeating: 0x0b, count: 1_000_000))).isEmpty)
  }

  @Test func aPathLeadsToTheLastField() {
    // 1: {2: "a"}, 1: {2: "bc"}
    let bytes: [UInt8] = [0x0a, 3, 0x12, 1, 0x61, 0x0a, 4, 0x12, 2, 0x62, 0x63]
    #expect(bytes.content(at: WirePath(1)).map { Array(bytes[$0]) } == [0x12, 2, 0x62, 0x63])
    #expect(bytes.content(at: WirePath(1, 2)).map { bytes.text(in: $0) } == "a")
    #expect(bytes.container(of: WirePath(2)) == bytes.indices)
    #expect(bytes.container(of: WirePath(1, 3)) == 2..<5)
    #expect(bytes.content(at: WirePath(1, 3)) == nil && bytes.content(at: WirePath(2)) == nil)
  }

  @Test func aPathIsItsNumbers() {
    let path = WirePath(1, 8).appending(255)
    #expect(path == WirePath(1, 8, 255) && path.first == 1 && path.last == 255)
    #expect(path.rest == WirePath(8, 255) && path.parent == WirePath(1, 8))
    #expect(WirePath(7).rest == nil && WirePath(7).parent == nil && WirePath(7).last == 7)
  }

  @Test(arguments: ["", "a", "12345678", "123456789", "1234567é", "12345678é", "é", "日本語日本語", "\u{0}"])
  func textsAreUTF8(text: String) {
    let bytes = [0xff] + Array(text.utf8) + [0xff]
    #expect(bytes.isUTF8(in: 1..<bytes.count - 1))
    #expect(!bytes.isUTF8(in: 0..<bytes.count - 1))
    #expect(!bytes.isUTF8(in: 1..<bytes.count))
  }

  @Test(arguments: [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3]] as [[UInt8]])
  func whatIsNoUTF8IsNoText(bytes: [UInt8]) {
    #expect(!bytes.isUTF8(in: bytes.indices))
    let behindASCII = Array("12345678".utf8) + bytes
    #expect(!behindASCII.isUTF8(in: behindASCII.indices))
  }
}
