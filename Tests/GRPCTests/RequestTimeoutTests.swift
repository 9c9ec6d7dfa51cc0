import GRPC
import Testing

@Suite struct RequestTimeoutTests {
  @Test(arguments: [
    ("2H", Duration.seconds(7200)), ("3M", .seconds(180)), ("10S", .seconds(10)), ("250m", .milliseconds(250)),
    ("99999999u", .microseconds(99_999_999)), ("7n", .nanoseconds(7)), ("0S", .zero),
  ])
  func readsEachUnit(text: String, duration: Duration) {
    #expect(RequestTimeout.parse(text) == duration)
  }

  @Test(arguments: ["", "S", "10", "10s", "-1S", "+1S", "1.5S", "123456789S", "1 S", "१S"])
  func refusesWhatIsNoTimeout(text: String) {
    #expect(RequestTimeout.parse(text) == nil)
  }

  @Test(arguments: [
    (Duration.zero, "0n"), (.seconds(-1), "0n"), (.nanoseconds(7), "7n"), (.milliseconds(99), "99000000n"),
    (.milliseconds(1500), "1500000u"), (.seconds(120), "120000m"), (.seconds(100_000), "100000S"),
    (.seconds(100_000_000), "27777H"),
  ])
  func writesTheFinestUnitThatFits(duration: Duration, text: String) {
    #expect(RequestTimeout.format(duration) == text)
  }

  @Test func whatIsWrittenIsNeverLongerThanWhatWasGiven() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<1000 {
      let duration = Duration.nanoseconds(Int64.random(in: 0..<2_000_000_000_000_000, using: &generator))
      let text = RequestTimeout.format(duration)
      let read = RequestTimeout.parse(text)
      #expect(read != nil && read ?? .zero <= duration, "\(duration) as \(text)")
      #expect(text.utf8.count <= 9)
    }
  }
}
