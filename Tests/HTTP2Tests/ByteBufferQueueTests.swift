import NIOCore
import Testing

@testable import HTTP2

@Suite struct ByteBufferQueueTests {
  /// Sizes of pieces, small and large in every order: small is below ``HTTP2Limits/copyBelowBytes``.
  private static let pieces: [[Int]] = [
    [], [1], [3, 5, 7], [9000], [9000, 9000], [1, 9000, 1], [9000, 1, 2, 9000, 3, 4], [8191, 8192, 8191, 1],
    Array(repeating: 100, count: 50),
  ]

  private func queue(_ sizes: [Int]) -> (queue: ByteBufferQueue, bytes: [UInt8]) {
    var queue = ByteBufferQueue()
    var bytes: [UInt8] = []
    for size in sizes {
      let piece = (0..<size).map { UInt8(truncatingIfNeeded: bytes.count + $0) }
      queue.append(ByteBuffer(bytes: piece))
      bytes += piece
    }
    return (queue, bytes)
  }

  @Test(arguments: pieces, [1, 7, 8192, 16384, Int.max])
  func givesBackWhatWasAppendedInItsOrder(sizes: [Int], limit: Int) {
    var (queue, bytes) = queue(sizes)
    #expect(queue.readableBytes == bytes.count)
    var taken: [UInt8] = []
    while let piece = queue.take(limit) {
      #expect((1...limit).contains(piece.readableBytes))
      taken += piece.readableBytesView
      #expect(queue.readableBytes == bytes.count - taken.count)
    }
    #expect(taken == bytes)
    #expect(queue.readableBytes == 0)
  }

  @Test func smallPiecesAreTakenTogether() {
    var (queue, bytes) = queue([10, 20, 30])
    #expect(queue.take(.max)?.readableBytes == bytes.count)
  }

  @Test func isUsedAgainWhenItWasEmptied() {
    var (queue, _) = queue([9000, 9000])
    while queue.take(.max) != nil {}
    queue.append(ByteBuffer(string: "again"))
    #expect(queue.take(.max) == ByteBuffer(string: "again"))
  }
}
