import Systemd
import Testing

@Suite struct NotifyTests {
  @Test(arguments: [
    (ServiceNews.ready, "READY=1"), (.stopping, "STOPPING=1"), (.status("serving"), "STATUS=serving"),
    (.mainProcess(7), "MAINPID=7"), (.watchdog, "WATCHDOG=1"),
  ])
  func eachIsOneAssignment(news: ServiceNews, line: String) { #expect(news.line == line) }

  @Test func aStatusCannotAssignAnythingElse() {
    #expect(ServiceNews.status("a\nREADY=1\r\nMAINPID=1").line == "STATUS=a READY=1 MAINPID=1")
  }

  @Test(arguments: ["", "@", "relative", "vsock:2:1234", "/" + String(repeating: "a", count: 107)])
  func refusesWhatIsNoUnixSocket(name: String) {
    #expect(NotifySocket(name: name) == nil)
  }

  @Test(arguments: [
    "/run/systemd/notify", "@" + String(repeating: "a", count: 107), "/" + String(repeating: "a", count: 106),
  ])
  func takesPathsAndAbstractNamesOfFullLength(name: String) { #expect(NotifySocket(name: name) != nil) }

  @Test func nobodyListensAndNothingHappens() {
    #expect(NotifySocket(name: "/nonexistent/notify")?.tell([.ready]) == false)
  }
}

@Suite struct WatchdogTests {
  @Test func isHalfOfWhatIsAllowed() {
    #expect(Watchdog.interval(microseconds: "30000000", process: nil, own: 5) == .seconds(15))
    #expect(Watchdog.interval(microseconds: "30000000", process: "5", own: 5) == .seconds(15))
  }

  @Test(
    arguments: [(nil, nil), ("0", nil), ("-4", nil), ("x", nil), ("30000000", "6"), ("30000000", "")]
      as [(String?, String?)])
  func isOffOtherwise(microseconds: String?, process: String?) {
    #expect(Watchdog.interval(microseconds: microseconds, process: process, own: 5) == nil)
  }
}
