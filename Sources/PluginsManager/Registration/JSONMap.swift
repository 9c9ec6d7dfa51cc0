internal import FoundationEssentials

/// Where things stand in a JSON text: the members of the object that it is, and what keeps it from being JSON.
///
/// The JSON library tells neither; this look beside it decides nothing. Of a text that ``JSONOutline`` has passed:
/// UTF-8, and not too deep for a recursion.
struct JSONMap {
  struct Member {
    let key: String
    /// Of the key; counts from 1.
    let line: Int
    /// Where the value begins.
    let valueLine: Int
    /// Of the value's items, if it is a list.
    let itemLines: [Int]
  }

  struct Fault: Error, Hashable {
    /// Both count from 1; the column is in bytes.
    let line: Int
    let column: Int
    let meant: String
  }

  /// In the order of the text, up to the fault.
  private(set) var members: [Member] = []
  private(set) var fault: Fault?

  /// Of each key's first occurrence, which counts, as the library has it.
  private var indices: [String: Int] = [:]
  /// Of members whose key was there before.
  private var repeatedIndices: [Int] = []

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private var lineStart = 0

  /// - Parameter bytes: may begin with a byte order mark.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    do throws(Fault) {
      skipSpace()
      if next == UInt8(ascii: "{") { try object(isOutermost: true) } else { _ = try value() }
      skipSpace()
      if next != nil { throw expected("the end of the text") }
    } catch {
      fault = error
    }
  }

  /// The first of this key.
  func member(_ key: String) -> Member? { indices[key].map { members[$0] } }

  /// Members whose key was there before.
  var repeated: [Member] { repeatedIndices.map { members[$0] } }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func expected(_ what: String) -> Fault {
    Fault(line: line, column: position - lineStart + 1, meant: what)
  }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) {
      position += 1
      if byte == 0x0A {
        line += 1
        lineStart = position
      }
    }
  }

  private mutating func take(_ character: Unicode.Scalar, or meant: String) throws(Fault) {
    guard next == UInt8(ascii: character) else { throw expected(meant) }
    position += 1
  }

  /// The lines of the items, if it is a list.
  private mutating func value() throws(Fault) -> [Int] {
    switch next {
    case UInt8(ascii: "{"): try object(isOutermost: false)
    case UInt8(ascii: "["): return try list()
    case UInt8(ascii: "\""): _ = try string()
    default: try word()
    }
    return []
  }

  private mutating func object(isOutermost: Bool) throws(Fault) {
    try take("{", or: "an object")
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return
    }
    while true {
      let keyLine = line
      guard next == UInt8(ascii: "\"") else { throw expected("a key in double quotes") }
      let key = try string()
      skipSpace()
      try take(":", or: "a colon behind the key")
      skipSpace()
      let valueLine = line
      let itemLines = try value()
      if isOutermost {
        if indices[key] == nil { indices[key] = members.count } else { repeatedIndices.append(members.count) }
        members.append(Member(key: key, line: keyLine, valueLine: valueLine, itemLines: itemLines))
      }
      skipSpace()
      if next == UInt8(ascii: "}") {
        position += 1
        return
      }
      try take(",", or: "a comma or }")
      skipSpace()
    }
  }

  private mutating func list() throws(Fault) -> [Int] {
    var lines: [Int] = []
    try take("[", or: "a list")
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return lines
    }
    while true {
      lines.append(line)
      _ = try value()
      skipSpace()
      if next == UInt8(ascii: "]") {
        position += 1
        return lines
      }
      try take(",", or: "a comma or ]")
      skipSpace()
    }
  }

  private mutating func string() throws(Fault) -> String {
    let start = position
    position += 1
    while let byte = next, byte != UInt8(ascii: "\"") {
      // The library takes a line's end inside of quotes.
      if byte == 0x0A {
        line += 1
        lineStart = position + 1
      }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    try take("\"", or: "closing quotes")
    let inside = bytes[start + 1..<position - 1]
    guard inside.contains(UInt8(ascii: "\\")) else { return String(decoding: inside, as: UTF8.self) }
    let unescaped = try? JSONDecoder().decode([String].self, from: Data("[".utf8 + bytes[start..<position] + "]".utf8))
    return unescaped?.first ?? String(decoding: inside, as: UTF8.self)
  }

  private mutating func word() throws(Fault) {
    let start = position
    while let byte = next, Self.isInWords(byte) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    guard ["true", "false", "null"].contains(word) || Self.isNumber(word) else {
      position = start
      throw expected("a value: text in double quotes, a number, true, false, null, a list or an object")
    }
  }

  private static func isInWords(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// RFC 8259, section 6, but for zeros in front: which the library judges.
  private static func isNumber(_ word: String) -> Bool {
    guard let first = word.utf8.first, let last = word.utf8.last else { return false }
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return (first == UInt8(ascii: "-") || digits ~= first) && digits ~= last && Double(word) != nil
  }
}
