import GRPC
import Testing

@testable import CRIServer

@Suite struct CallOutcomeTests {
  @Test(arguments: StatusCode.allCases)
  func everyCodeSaysWhatHappenedToTheObject(code: StatusCode) {
    let expected: CallOutcome =
      switch code {
      case .ok: .succeeded
      case .notFound: .notFound
      case .unavailable, .cancelled, .deadlineExceeded: .unknown
      default: .refused
      }
    #expect(CallOutcome(code) == expected)
  }

  @Test func postHooksFollowAStopThatWorkedOrWhoseObjectIsGone() {
    #expect(CallOutcome.succeeded.isStopped(isKnown: false))
    #expect(CallOutcome.notFound.isStopped(isKnown: true))
    #expect(!CallOutcome.notFound.isStopped(isKnown: false))
    #expect(!CallOutcome.refused.isStopped(isKnown: true))
    #expect(!CallOutcome.unknown.isStopped(isKnown: true))
  }
}
