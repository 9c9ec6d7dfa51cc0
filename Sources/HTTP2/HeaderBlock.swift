internal import CNghttp2
internal import Glibc

/// A list of header fields, in the order and with the duplicates in which it was received or built
/// (RFC 9113, section 8.2; pseudo-header fields come first).
///
/// Its fields lie in memory of its own; passing it on copies none.
// Unchecked, because it is confined to one event loop: whoever receives, builds or keeps a block is a
// connection, a stream handler or a task that runs on that event loop's executor.
package final class HeaderBlock: @unchecked Sendable {
  private(set) var fields: [nghttp2_nv] = []
  /// What `fields` point into, from `malloc`: the memory of all that the block began with, and of each that was added.
  private let memory: UnsafeMutablePointer<UInt8>?
  private var added: [UnsafeMutablePointer<UInt8>] = []
  /// The block that this one is a copy of, whose memory `fields` point into as well.
  private let origin: HeaderBlock?

  /// A block from the wire.
  ///
  /// - Parameters:
  ///   - fields: What was received.
  ///   - memory: What they point into, from `malloc`; the block's from now on.
  init(_ fields: [nghttp2_nv], in memory: UnsafeMutablePointer<UInt8>?) {
    self.fields = fields
    self.memory = memory
    origin = nil
  }

  /// A block of our own. Names are lower-case; pseudo-header fields come first.
  package init(_ fields: [(name: String, value: String)]) {
    origin = nil
    // One piece of memory for all.
    var free = Self.allocate(fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count })
    memory = free.baseAddress
    self.fields.reserveCapacity(fields.count + 1)
    for field in fields { append(free.take(field.name), free.take(field.value)) }
  }

  private init(copyOf origin: HeaderBlock) {
    fields = origin.fields
    memory = nil
    self.origin = origin
  }

  deinit {
    free(memory)
    for memory in added { free(memory) }
  }

  /// A second block with the same fields, to be changed without changing this one.
  package func copy() -> HeaderBlock { HeaderBlock(copyOf: self) }

  /// Whether there is a field named `name`.
  package func has(_ name: String) -> Bool { fields.contains { matches($0, name) } }

  /// The value of the first field named `name`; bytes that are not UTF-8 are repaired.
  package func value(of name: String) -> String? {
    guard let field = fields.first(where: { matches($0, name) }) else { return nil }
    return text(field.value, field.valuelen)
  }

  /// Which of the table's values the first field named `name` has; nil if none. Makes no string.
  package func index(of name: String, in table: HeaderValueTable) -> Int? {
    guard let field = fields.first(where: { matches($0, name) }) else { return nil }
    return table.index(of: UnsafeBufferPointer(start: field.value, count: field.valuelen))
  }

  /// The first field named `name` as a decimal number of at most nine digits; nil if there is none. Makes no string.
  package func number(of name: String) -> Int? {
    guard let field = fields.first(where: { matches($0, name) }), (1...9).contains(field.valuelen) else { return nil }
    var number = 0
    for byte in UnsafeBufferPointer(start: field.value, count: field.valuelen) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }

  /// What it counts towards limits: names, values and 32 bytes a field (RFC 9113, section 6.5.2).
  package var listBytes: Int {
    fields.reduce(0) { $0 + $1.namelen + $1.valuelen + HTTP2Limits.fieldOverheadBytes }
  }

  /// What of it is more than a call ordinarily has.
  package var excessBytes: Int { max(0, listBytes - HTTP2Limits.ordinaryHeaderListBytes) }

  /// All fields as text, for people and tests.
  package var textFields: [(name: String, value: String)] {
    fields.map { (text($0.name, $0.namelen), text($0.value, $0.valuelen)) }
  }

  package func append(_ name: String, _ value: String) {
    append(own(name), own(value))
  }

  /// Removes every field named `name`.
  package func remove(_ name: String) {
    fields.removeAll { matches($0, name) }
  }

  /// Gives the first field named `name` another value in its place, or appends it.
  package func set(_ name: String, _ value: String) {
    guard let index = fields.firstIndex(where: { matches($0, name) }) else { return append(name, value) }
    let memory = own(value)
    fields[index].value = memory.baseAddress
    fields[index].valuelen = memory.count
  }

  /// A copy of a text, in memory of ours.
  private func own(_ text: String) -> UnsafeMutableBufferPointer<UInt8> {
    var memory = Self.allocate(text.utf8.count)
    if let start = memory.baseAddress { added.append(start) }
    return memory.take(text)
  }

  private static func allocate(_ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
    guard let memory = malloc(max(count, 1)) else { preconditionFailure("no memory for a header block") }
    return UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: count)
  }

  private func append(_ name: UnsafeMutableBufferPointer<UInt8>, _ value: UnsafeMutableBufferPointer<UInt8>) {
    fields.append(
      nghttp2_nv(
        name: name.baseAddress, value: value.baseAddress, namelen: name.count, valuelen: value.count, flags: 0))
  }

  private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
    String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  private func matches(_ field: nghttp2_nv, _ name: String) -> Bool {
    guard field.namelen == name.utf8.count else { return false }
    var name = name
    return name.withUTF8 { bytes in bytes.baseAddress.map { memcmp($0, field.name, bytes.count) == 0 } ?? true }
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  /// Copies a text to the beginning, which is taken off.
  fileprivate mutating func take(_ text: String) -> UnsafeMutableBufferPointer<UInt8> {
    var text = text
    return text.withUTF8 { bytes in
      let taken = UnsafeMutableBufferPointer(rebasing: self[..<bytes.count])
      _ = taken.initialize(from: bytes)
      self = UnsafeMutableBufferPointer(rebasing: self[bytes.count...])
      return taken
    }
  }
}
