internal import CNghttp2
internal import Glibc

/// A list of header fields, in the order and with the duplicates in which it was received or built
/// (RFC 9113, section 8.2; pseudo-header fields come first).
///
/// A received block shares nghttp2's reference-counted buffers: passing it on copies no field.
// Unchecked, because it is confined to one event loop: whoever receives, builds or keeps a block is a
// connection, a stream handler or a task that runs on that event loop's executor.
package final class HeaderBlock: @unchecked Sendable {
  private(set) var fields: [nghttp2_nv] = []
  /// nghttp2's buffers that `fields` point into, one reference each.
  private var shared: [OpaquePointer] = []
  /// Our own memory that `fields` point into.
  private var owned: [UnsafeMutableBufferPointer<UInt8>] = []
  /// The block that this one is a copy of, whose memory `fields` point into as well.
  private var origin: HeaderBlock?

  /// An empty block, to be filled from the wire.
  init() {
    fields.reserveCapacity(16)
    shared.reserveCapacity(32)
  }

  /// A block of our own. Names are lower-case; pseudo-header fields come first.
  package init(_ fields: [(name: String, value: String)]) {
    guard !fields.isEmpty else { return }
    // One piece of memory for all.
    let count = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(count, 1))
    owned.append(memory)
    self.fields.reserveCapacity(fields.count + 1)
    var free = memory[...]
    for field in fields { append(free.take(field.name), free.take(field.value)) }
  }

  deinit {
    for buffer in shared { nghttp2_rcbuf_decref(buffer) }
    for memory in owned { memory.deallocate() }
  }

  /// A second block with the same fields, to be changed without changing this one.
  package func copy() -> HeaderBlock {
    let copy = HeaderBlock([])
    copy.fields = fields
    copy.origin = self
    return copy
  }

  /// Whether there is a field named `name`.
  package func has(_ name: String) -> Bool { fields.contains { matches($0, name) } }

  /// The value of the first field named `name`; bytes that are not UTF-8 are repaired.
  package func value(of name: String) -> String? {
    guard let field = fields.first(where: { matches($0, name) }) else { return nil }
    return text(field.value, field.valuelen)
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
  package var listBytes: Int { fields.reduce(0) { $0 + $1.namelen + $1.valuelen + 32 } }

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

  /// Adds a field that nghttp2 has just decoded, keeping its buffers alive.
  func append(received name: OpaquePointer, _ value: OpaquePointer, flags: UInt8) {
    nghttp2_rcbuf_incref(name)
    nghttp2_rcbuf_incref(value)
    shared.append(name)
    shared.append(value)
    let nameBuffer = nghttp2_rcbuf_get_buf(name)
    let valueBuffer = nghttp2_rcbuf_get_buf(value)
    fields.append(
      nghttp2_nv(
        name: nameBuffer.base, value: valueBuffer.base, namelen: nameBuffer.len, valuelen: valueBuffer.len,
        // A field that its sender did not want indexed (a secret) is not indexed on the next hop either.
        flags: flags & UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue)))
  }

  /// A copy of a text, in memory of ours.
  private func own(_ text: String) -> UnsafeMutableBufferPointer<UInt8> {
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
    owned.append(memory)
    var free = memory[...]
    return free.take(text)
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

extension Slice<UnsafeMutableBufferPointer<UInt8>> {
  /// Copies a text to the beginning, which is taken off.
  fileprivate mutating func take(_ text: String) -> UnsafeMutableBufferPointer<UInt8> {
    var text = text
    return text.withUTF8 { bytes in
      let end = startIndex + bytes.count
      let taken = UnsafeMutableBufferPointer(rebasing: self[..<end])
      _ = taken.initialize(from: bytes)
      self = self[end...]
      return taken
    }
  }
}
