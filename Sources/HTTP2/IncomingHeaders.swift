internal import CNghttp2
internal import Glibc

/// The header block that a connection is receiving, field by field.
///
/// What nghttp2 decodes is valid only while it is reported. It is copied, once, into the memory that the finished block
/// keeps: some hundred bytes, which costs less than a reference to each of nghttp2's buffers.
struct IncomingHeaders: ~Copyable {
  /// Names and values, one behind the other; from `malloc`, because it grows.
  private var memory: UnsafeMutablePointer<UInt8>?
  private(set) var capacity = 0
  private var used = 0
  /// Without pointers as long as the memory may move.
  private var fields: [nghttp2_nv] = []
  private var listBytes = 0
  private var isOpen = false

  /// Room for the fields of an ordinary call.
  private static let ordinary = (fields: 16, bytes: 512)

  deinit { free(memory) }

  /// A header block begins; one that was not finished is forgotten.
  mutating func begin() {
    isOpen = true
    listBytes = 0
    // One that was too long must not leave its room to those that follow, which are counted by what they hold.
    free(memory)
    forgetMemory()
    fields = Array(unsafeUninitializedCapacity: Self.ordinary.fields) { _, count in count = 0 }
  }

  /// - Returns: False if the block grows over its limit; its stream is then reset.
  mutating func append(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, flags: UInt8) -> Bool {
    listBytes += name.count + value.count + HTTP2Limits.fieldOverheadBytes
    guard isOpen, listBytes <= HTTP2Limits.maxHeaderListBytes else { return false }
    copy(name)
    copy(value)
    fields.append(
      nghttp2_nv(
        name: nil, value: nil, namelen: name.count, valuelen: value.count,
        // A field that its sender did not want indexed (a secret) is not indexed on the next hop either.
        flags: flags & UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue)))
    return true
  }

  private mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let start = bytes.baseAddress else { return }
    if used + bytes.count > capacity { grow(to: used + bytes.count) }
    if let memory { memcpy(memory + used, start, bytes.count) }
    used += bytes.count
  }

  private mutating func grow(to wanted: Int) {
    capacity = max(wanted, 2 * capacity, Self.ordinary.bytes)
    guard let grown = realloc(memory, capacity) else { preconditionFailure("no memory for a header block") }
    memory = grown.assumingMemoryBound(to: UInt8.self)
  }

  /// The block that has been received; nil if none was begun.
  mutating func finish() -> HeaderBlock? {
    guard isOpen else { return nil }
    isOpen = false
    if capacity > Self.ordinary.bytes || fields.count > Self.ordinary.fields { giveBackRoomToGrow() }
    if var free = memory {
      for index in fields.indices {
        fields[index].name = free
        fields[index].value = free + fields[index].namelen
        free += fields[index].namelen + fields[index].valuelen
      }
    }
    let block = HeaderBlock(fields, in: memory)
    forgetMemory()
    fields = []
    return block
  }

  /// A block that is held is counted by what is in it, not by the twice as much that it may have grown to.
  private mutating func giveBackRoomToGrow() {
    if used > 0, let exact = realloc(memory, used) { memory = exact.assumingMemoryBound(to: UInt8.self) }
    fields = fields.withUnsafeBufferPointer { Array($0) }
  }

  private mutating func forgetMemory() {
    memory = nil
    capacity = 0
    used = 0
  }
}
