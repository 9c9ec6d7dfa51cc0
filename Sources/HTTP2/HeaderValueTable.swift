internal import Glibc

/// Some values of a header field, found by the value's bytes as they were received: for a field that every call has, making
/// and hashing a string would cost more than finding it.
package struct HeaderValueTable: Sendable {
  /// All values, one behind the other, by length.
  private let bytes: [UInt8]
  /// Where each was in the list that the table was made of.
  private let indices: [Int]
  /// Where in `bytes`, and where in `indices`, those of a length begin; one more than there are lengths.
  private let starts: [(byte: Int, index: Int)]

  package init(_ values: [String]) {
    let ordered = values.enumerated().sorted { $0.element.utf8.count < $1.element.utf8.count }
    bytes = ordered.flatMap(\.element.utf8)
    indices = ordered.map(\.offset)
    var starts: [(byte: Int, index: Int)] = []
    var next = (byte: 0, index: 0)
    for length in 0...(ordered.last?.element.utf8.count ?? 0) {
      starts.append(next)
      let count = ordered.count { $0.element.utf8.count == length }
      next = (next.byte + count * length, next.index + count)
    }
    self.starts = starts + [next]
  }

  /// - Returns: The index of the value in the list; nil if it is not there.
  func index(of value: UnsafeBufferPointer<UInt8>) -> Int? {
    let length = value.count
    guard length < starts.count - 1, let start = value.baseAddress else { return nil }
    let (first, end) = (starts[length], starts[length + 1])
    return bytes.withUnsafeBufferPointer { bytes in
      guard var candidate = bytes.baseAddress.map({ $0 + first.byte }) else { return nil }
      for index in first.index..<end.index {
        if memcmp(candidate, start, length) == 0 { return indices[index] }
        candidate += length
      }
      return nil
    }
  }
}
