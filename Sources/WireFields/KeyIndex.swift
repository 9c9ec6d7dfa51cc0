/// Finds a key in a list of keys. As a rule the list is short; it is as long as a plugin makes its answer.
package struct KeyIndex: Sendable {
  /// Above this many keys a table is faster than looking at each.
  private static let listLimit = 8

  private let keys: [[UInt8]]
  private let table: [ArraySlice<UInt8>: Int]

  package init(_ keys: [[UInt8]]) {
    self.keys = keys
    table =
      keys.count <= Self.listLimit
      ? [:] : Dictionary(keys.enumerated().map { ($1[...], $0) }, uniquingKeysWith: { $1 })
  }

  /// The last place of the key in `range` of `bytes`.
  package func index(of range: Range<Int>, in bytes: [UInt8]) -> Int? {
    guard table.isEmpty else { return table[bytes[range]] }
    return keys.lastIndex { bytes.has($0, in: range) }
  }

  /// The last place of `key`.
  package func index(of key: [UInt8]) -> Int? { index(of: key.indices, in: key) }
}
