internal import NIOCore

/// How often something may happen: a number of times at once, given back at a steady rate.
///
/// A value without a clock: the instants come from outside.
struct RateLimit {
  let burst: Int
  let perSecond: Int
  /// What has been used and not yet been given back, in nanoseconds of giving back.
  private var usedNanoseconds: Int64 = 0
  private var last = NIODeadline.distantPast

  init(burst: Int, perSecond: Int) {
    self.burst = burst
    self.perSecond = perSecond
  }

  /// Takes note of one more.
  ///
  /// - Returns: False if that is too often.
  mutating func allows(at now: NIODeadline) -> Bool {
    let costNanoseconds = 1_000_000_000 / Int64(perSecond)
    // At first, and after a long time, nothing is used any more.
    let passed = last == .distantPast ? usedNanoseconds : (now - last).nanoseconds
    usedNanoseconds = max(0, usedNanoseconds - passed) + costNanoseconds
    last = now
    return usedNanoseconds <= Int64(burst) * costNanoseconds
  }
}
