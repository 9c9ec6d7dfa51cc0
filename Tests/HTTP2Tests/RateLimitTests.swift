import NIOCore
import Testing

@testable import HTTP2

struct RateLimitTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  @Test func allowsTheBurstAtOnceAndNoMore() {
    var limit = RateLimit(burst: 3, perSecond: 2)
    let allowed = (0..<5).map { _ in limit.allows(at: start) }
    #expect(allowed == [true, true, true, false, false])
  }

  @Test func givesBackAtItsRate() {
    var limit = RateLimit(burst: 1, perSecond: 2)
    let allowed = [0, 499, 1000, 1500, 1501].map { limit.allows(at: start + .milliseconds($0)) }
    #expect(allowed == [true, false, true, true, false])
  }

  @Test func givesBackNoMoreThanWasUsed() {
    var limit = RateLimit(burst: 2, perSecond: 1000)
    _ = limit.allows(at: start)
    let allowed = (0..<3).map { _ in limit.allows(at: start + .hours(1)) }
    #expect(allowed == [true, true, false])
  }
}
