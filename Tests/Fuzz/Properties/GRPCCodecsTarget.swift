import GRPC
import HTTP2
import NIOCore

/// The texts that gRPC puts into header fields, read from anybody and written by us.
///
/// The first byte of an input chooses the codec.
package enum GRPCCodecsTarget: FuzzTarget {
  package static let name = "grpc-codecs"

  package static func check(_ bytes: [UInt8]) throws {
    var input = ByteReader(bytes)
    switch input.byte() % 5 {
    case 0: try checkTimeout(String(decoding: input.remaining(), as: UTF8.self))
    case 1: try checkTimeout(seconds: Int64(truncatingIfNeeded: input.integer()), attoseconds: input.integer())
    case 2: try checkMessage(String(decoding: input.remaining(), as: UTF8.self))
    case 3: try checkStatus(code: input.text(), message: input.text(), http: input.text())
    default: try checkHeaderBlock(&input)
    }
  }

  // MARK: grpc-timeout

  /// Whatever a caller writes is a time that can be calculated with, or none.
  private static func checkTimeout(_ text: String) throws {
    guard let timeout = RequestTimeout.parse(text) else { return }
    try expect(timeout >= .zero, "\(text) is negative: \(timeout)")
    let written = RequestTimeout.format(timeout)
    try expect((RequestTimeout.parse(written) ?? .seconds(-1)) <= timeout, "\(text) grows to \(written)")
    // What the calls do with it.
    let deadline = ContinuousClock.now + timeout
    let left = deadline - .now
    try expect(left <= timeout, "\(left) of \(timeout) are left")
    _ = ContinuousClock.now + left / 2
    try expect(NIODeadline.now() + TimeAmount(left) >= .now() - .seconds(1), "\(text) is a deadline in the past")
  }

  /// What is written is never more than what is left, and at most one unit of eight digits less.
  private static func checkTimeout(seconds: Int64, attoseconds: UInt64) throws {
    let fraction = Int64(attoseconds % 1_000_000_000_000_000_000)
    let duration = Duration(secondsComponent: seconds, attosecondsComponent: fraction)
    let text = RequestTimeout.format(duration)
    try expect((2...9).contains(text.utf8.count), "\(duration) has the text \(text)")
    guard let read = RequestTimeout.parse(text) else { throw PropertyFailure(description: "\(text) cannot be read") }
    try expect(read <= max(duration, .zero), "\(duration) grows to \(text)")
    guard duration > .zero, seconds < 99_999_999 else { return }
    // A thousandth or a nanosecond, whichever is more.
    try expect(duration - read <= max(duration / 1000, .nanoseconds(1)), "\(duration) shrinks to \(text)")
  }

  // MARK: grpc-message and grpc-status

  private static func checkMessage(_ message: String) throws {
    let encoded = StatusMessage.encode(message)
    try expect(encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "\(encoded) is no header field")
    let decoded = StatusMessage.decode(encoded)
    try expect(decoded.utf8.elementsEqual(message.utf8), "\(message.debugDescription) comes back as \(decoded)")
    // Text that nobody encoded is read all the same.
    _ = StatusMessage.decode(message)
  }

  private static func checkStatus(code: String, message: String, http: String) throws {
    let foreign = HeaderBlock([(":status", http), ("grpc-status", code), ("grpc-message", message)])
    guard let status = foreign.status else { throw PropertyFailure(description: "no status") }
    // Digits alone (gRPC over HTTP/2, "Responses": Status), of which we read nine; `Int` would take a sign as well.
    let isNumber = code.utf8.count <= 9 && code.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let known = isNumber ? Int(code).flatMap(StatusCode.init(rawValue:)) : nil
    try expect(status.code == known ?? .unknown, "\(code) is \(status.code)")
    for block in [HeaderBlock.trailers(status), .trailersOnly(status)] {
      let read = block.status
      try expect(
        read?.code == status.code && read?.message.utf8.elementsEqual(status.message.utf8) == true,
        "\(status) comes back as \(String(describing: read))")
    }
    _ = UnaryAnswer(headers: HeaderBlock([(":status", http)]), body: ByteBuffer(), trailers: nil).status
    _ = HeaderBlock([(RequestTimeout.headerName, message)]).timeout
  }

  // MARK: Header blocks

  /// A block changes as a list of pairs would; its copy does not change with it.
  private static func checkHeaderBlock(_ input: inout ByteReader) throws {
    let block = HeaderBlock([])
    var model: [(name: String, value: String)] = []
    while !input.isAtEnd {
      let what = input.byte()
      let name = input.text()
      let before = model
      let copy = block.copy()
      switch what % 3 {
      case 0:
        let value = input.text()
        block.append(name, value)
        model.append((name, value))
      case 1:
        let value = input.text()
        block.set(name, value)
        if let index = model.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
          model[index].value = value
        } else {
          model.append((name, value))
        }
      default:
        block.remove(name)
        model.removeAll { $0.name.utf8.elementsEqual(name.utf8) }
      }
      try expect(isSame(block, model), "the block is not what was made of it")
      try expect(isSame(copy, before), "a copy has changed with its original")
      let first = model.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
      try expect(block.value(of: name) == first, "\(name) has another value")
    }
  }

  private static func isSame(_ block: HeaderBlock, _ model: [(name: String, value: String)]) -> Bool {
    let fields = block.textFields
    return fields.count == model.count
      && zip(fields, model).allSatisfy {
        $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.utf8.elementsEqual($1.value.utf8)
      }
  }
}
