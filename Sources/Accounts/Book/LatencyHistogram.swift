/// How long something takes, in buckets that never change.
package struct LatencyHistogram: Sendable, Equatable {
  /// Upper ends of the buckets, seconds; a last one takes what is above. Plugins answer in a fraction of a millisecond
  /// or run into a deadline of at most a minute.
  package static let bounds: [Double] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]

  private var counts: [Int] = []
  package private(set) var count = 0

  package init() {}

  package mutating func record(_ duration: Duration) {
    if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count + 1) }
    let seconds = duration.seconds
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    count += 1
  }

  /// The duration that this share of all stayed within, as exactly as the buckets tell: between a bucket's ends it is
  /// taken to grow evenly, and what is above the last end counts as that.
  /// - Parameter share: Above 0, at most 1; 0.5 is the median.
  /// - Returns: nil if nothing was recorded.
  package func quantile(_ share: Double) -> Duration? {
    guard count > 0 else { return nil }
    let rank = max(share * Double(count), 1)
    var below = 0
    for (index, inBucket) in counts.enumerated() where inBucket > 0 {
      guard Double(below + inBucket) >= rank, index < Self.bounds.count else {
        below += inBucket
        continue
      }
      let low = index == 0 ? 0 : Self.bounds[index - 1]
      let fraction = (rank - Double(below)) / Double(inBucket)
      return .seconds(low + (Self.bounds[index] - low) * fraction)
    }
    return .seconds(Self.bounds[Self.bounds.count - 1])
  }
}
