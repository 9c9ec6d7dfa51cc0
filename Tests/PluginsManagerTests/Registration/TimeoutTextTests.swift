import PluginsManager
import Testing

@Suite struct TimeoutTextTests {
  @Test(arguments: [
    ("1ms", Duration.milliseconds(1)), ("500ms", .milliseconds(500)), ("2s", .seconds(2)),
    ("1.5s", .milliseconds(1500)), ("0.25s", .milliseconds(250)), ("1s500ms", .milliseconds(1500)),
    ("1m", .seconds(60)), ("60s", .seconds(60)), ("0.5m", .seconds(30)), ("0.1m0.5ms", .microseconds(6_000_500)),
    ("007s", .seconds(7)), ("1.0000000009s", .seconds(1)), ("60000ms", .seconds(60)),
  ])
  func isRead(text: String, duration: Duration) {
    #expect(Duration(timeoutText: text) == duration)
  }

  @Test(arguments: [
    "", "5", "s", ".5s", "1.s", "1.5", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1h", "1us", "1µs", "1ns", "1s5",
    "1e3ms", "１s", "0s", "0.9ms", "60.001s", "61s", "1m1ms", "2m", "9223372036854775807ms", "99999999999999999999s",
    "9223372036854775807m9223372036854775807m",
  ])
  func isRefused(text: String) {
    #expect(Duration(timeoutText: text) == nil)
  }
}
