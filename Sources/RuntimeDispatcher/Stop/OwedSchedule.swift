/// When an owed call is repeated: 1 s after its first failure, doubling to 30 s, for 10 minutes.
struct OwedSchedule: Sendable {
  static let firstDelay = Duration.seconds(1)
  static let longestDelay = Duration.seconds(30)
  static let limit = Duration.seconds(600)

  let end: ContinuousClock.Instant
  private(set) var delay = firstDelay

  init(firstFailureAt now: ContinuousClock.Instant) { end = now + Self.limit }

  /// Goes on where another process has left off.
  init(resuming owed: OwedCall, at now: ContinuousClock.Instant) {
    end = now + max(.zero, min(owed.left, Self.limit))
    delay = max(Self.firstDelay, min(owed.delay, Self.longestDelay))
  }

  /// When to try again after a failure at `now`; nil once the 10 minutes have passed. The last attempt is made
  /// when they do.
  mutating func next(afterFailureAt now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
    guard now < end else { return nil }
    defer { delay = min(delay * 2, Self.longestDelay) }
    return min(now + delay, end)
  }
}
