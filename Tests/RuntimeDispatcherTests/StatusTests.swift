import GRPC
import PluginsManager
import Testing

@testable import RuntimeDispatcher

/// Design, "Status that kubelet gets".
@Suite struct StatusTests {
  @Test(arguments: StatusCode.allCases)
  func aPluginsOwnCodeIsKeptUnlessKubeletReadsMeaningIntoIt(code: StatusCode) {
    let misleading: Set<StatusCode> = [.ok, .cancelled, .notFound, .unimplemented, .alreadyExists]
    let status = failure(.status(Status(code, "no"))).status
    #expect(status.code == (misleading.contains(code) ? .failedPrecondition : code))
  }

  @Test(arguments: StatusCode.allCases)
  func theRuntimesCodeIsAlwaysKept(code: StatusCode) {
    #expect(failure(.runtimeRefused(Status(code, "no"))).status.code == code)
  }

  @Test(arguments: [
    (HookFailure.Cause.deadline(.seconds(2)), "deadline of 2 s passed"),
    (.shortenedDeadline(.milliseconds(1500)), "deadline of 1.5 s passed, which was all that kubelet's deadline left"),
    (.noTimeLeft, "kubelet's deadline left no time to ask"),
    (.socketUnavailable("/run/x.sock: absent"), "socket unavailable: /run/x.sock: absent"),
    (.wrongOwner(uid: 7), "socket belongs to uid 7; if that is right, set `uid` to 7 in the registration file"),
    (.tripped, "not asked, because its last calls ran into their deadlines"),
    (.undecodable, "answer cannot be decoded"),
    (.badAnswer("two messages"), "bad answer: two messages"),
    (.connectionBroken("reset"), "connection broken: reset"),
    (.status(Status(.notFound, "what pod?")), "NOT_FOUND: what pod?"),
    (.conflict(.env(key: "A"), owner: "b"), "conflict: env A belongs to b"),
    (.forbiddenChange(.label(key: "l"), why: "no"), "forbidden change of label l: no"),
    (.subjectUnknown("timeout"), "subject unknown: timeout"),
    (.runtimeRefused(Status(.internalError, "bad cpuset")), "runtime refused the changed resources: bad cpuset"),
  ])
  func saysPluginHookPointAndCause(cause: HookFailure.Cause, text: String) {
    #expect(failure(cause).status.message == "hook server err: koordlet: PreStartContainer: \(text)")
  }

  @Test func aPluginsTextIsCutTo1KiBOnAWholeCharacter() {
    let text = String(repeating: "x", count: 1023) + "ö" + "rest"
    let message = failure(.status(Status(.aborted, text))).status.message
    #expect(message.hasSuffix("ABORTED: " + String(repeating: "x", count: 1023)))
    #expect(PluginText.cut(String(repeating: "ö", count: 512)).utf8.count == 1024)
    #expect(PluginText.cut(String(repeating: "€", count: 999)).utf8.count == 1023)
    #expect(PluginText.cut("e" + String(repeating: "\u{301}", count: 999)).utf8.count == 1023)
  }

  @Test func aPluginsTextStaysInItsLine() {
    let text = "no\n2026-11-21 error: forged\r\u{1B}[31m\u{2028}\u{85}ünï \\ \""
    #expect(
      failure(.status(Status(.aborted, text))).status.message.hasSuffix(
        #"ABORTED: no\n2026-11-21 error: forged\r\u{1B}[31m\u{2028}\u{0085}ünï \ ""#))
    #expect(failure(.conflict(.env(key: "A\nB"), owner: "b")).status.message.hasSuffix(#"env A\nB belongs to b"#))
  }

  @Test func aLongKeyDoesNotHideTheOwner() {
    let message = failure(.conflict(.env(key: String(repeating: "k", count: 5000)), owner: "b")).status.message
    #expect(message.hasSuffix(" belongs to b"))
    #expect(message.utf8.count < 1200)
  }

  @Test(arguments: [
    (Duration.seconds(60), "60 s"), (.milliseconds(1), "1 ms"), (.milliseconds(250), "250 ms"),
    (.milliseconds(2050), "2.05 s"), (.microseconds(1_000_900), "1 s"), (.zero, "0 s"),
  ])
  func durationsAreInWords(duration: Duration, words: String) {
    #expect(duration.inWords == words)
  }

  private func failure(_ cause: HookFailure.Cause) -> HookFailure {
    HookFailure("koordlet", .preStartContainer, cause)
  }
}
