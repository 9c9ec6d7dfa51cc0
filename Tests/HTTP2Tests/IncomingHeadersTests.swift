import CNghttp2
import Testing

@testable import HTTP2

/// malloc_usable_size(3), an extension of GNU's that Swift does not see.
@_silgen_name("malloc_usable_size") private func usableSize(of memory: UnsafeMutablePointer<UInt8>?) -> Int

@Suite struct IncomingHeadersTests {
  private func append(_ name: String, _ value: String, to headers: inout IncomingHeaders) -> Bool {
    Array(name.utf8).withUnsafeBufferPointer { name in
      Array(value.utf8).withUnsafeBufferPointer { value in headers.append(name, value, flags: 0) }
    }
  }

  @Test func keepsOrderDuplicatesAndEmptyValues() throws {
    var headers = IncomingHeaders()
    headers.begin()
    let fields = [("b", "1"), ("a", "2"), ("b", ""), ("b", "1")]
    for (name, value) in fields {
      let isAppended = append(name, value, to: &headers)
      #expect(isAppended)
    }
    let finished = headers.finish()
    let block = try #require(finished)
    #expect(block.textFields.map(\.name) == fields.map(\.0))
    #expect(block.textFields.map(\.value) == fields.map(\.1))
  }

  @Test func aBlockKeepsItsFieldsWhenTheNextIsReceived() {
    var headers = IncomingHeaders()
    headers.begin()
    _ = append("name", "first", to: &headers)
    let first = headers.finish()
    headers.begin()
    _ = append("name", "other", to: &headers)
    let second = headers.finish()
    #expect(second?.value(of: "name") == "other")
    #expect(first?.value(of: "name") == "first")
  }

  @Test func nothingIsReceivedOutsideOfABlock() {
    var headers = IncomingHeaders()
    let before = append("name", "value", to: &headers)
    headers.begin()
    let first = headers.finish()
    let second = headers.finish()
    let after = append("name", "value", to: &headers)
    #expect(!before && !after)
    #expect(first != nil && second == nil)
  }

  @Test func aBlockMayGrowToItsLimitAndNotBeyond() {
    var headers = IncomingHeaders()
    headers.begin()
    let room = HTTP2Limits.maxHeaderListBytes - 2 * HTTP2Limits.fieldOverheadBytes - 2
    let appended = [
      append("a", String(repeating: "v", count: room), to: &headers), append("b", "", to: &headers),
      append("c", "", to: &headers),
    ]
    #expect(appended == [true, true, false])
  }

  @Test func aBlockThatWasTooLongLeavesItsRoomToNoOther() {
    var headers = IncomingHeaders()
    headers.begin()
    while append("name", String(repeating: "v", count: 4096), to: &headers) {}
    #expect(headers.capacity > HTTP2Limits.maxHeaderListBytes / 2)
    headers.begin()
    _ = append("name", "value", to: &headers)
    #expect(headers.capacity < 4096)
  }

  /// Whoever holds blocks counts what is in them, and 32 bytes a field.
  @Test(arguments: [(fields: 9, bytes: 60_000), (fields: 17_000, bytes: 1)])
  func aLongBlockKeepsNoRoomToGrow(fields: Int, bytes: Int) throws {
    var headers = IncomingHeaders()
    headers.begin()
    for _ in 0..<fields {
      let isAppended = append("a", String(repeating: "v", count: bytes), to: &headers)
      #expect(isAppended)
    }
    let finished = headers.finish()
    let block = try #require(finished)
    // Its memory begins with the first name; malloc rounds up to pages at most.
    #expect(usableSize(of: block.fields[0].name) < fields * (1 + bytes) + 8192)
    #expect(block.fields.capacity < fields + 16)
    #expect(block.textFields.allSatisfy { $0.name == "a" && $0.value.utf8.count == bytes })
  }

  @Test func aBlockThatWasNotFinishedIsForgotten() {
    var headers = IncomingHeaders()
    headers.begin()
    _ = append("name", "forgotten", to: &headers)
    headers.begin()
    _ = append("name", "kept", to: &headers)
    let block = headers.finish()
    #expect(block?.textFields.map(\.value) == ["kept"])
  }
}
