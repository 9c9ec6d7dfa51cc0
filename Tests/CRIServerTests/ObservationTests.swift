import GRPC
import HTTP2
import NIOCore
import Testing

@testable import CRIServer

@Suite struct ObservationTests {
  private final class Seen {
    var commits: [(request: ByteBuffer, answer: ByteBuffer, outcome: CallOutcome)] = []
  }

  private let seen = Seen()
  private var observation: Observation { Observation { seen.commits.append(($0, $1, $2)) } }

  @Test func aCallThatSucceededIsCommittedWithBothMessages() throws {
    let observation = observation
    for byte in UnaryBody.body(of: [1, 2]).readableBytesView { observation.request(ByteBuffer(bytes: [byte])) }
    observation.answer(UnaryBody.body(of: [3]))
    observation.ended(.trailers(Status(.ok, "")))
    observation.abandon()
    let commit = try #require(seen.commits.first)
    #expect(seen.commits.count == 1)
    #expect(Array(commit.request.readableBytesView) == [1, 2])
    #expect(Array(commit.answer.readableBytesView) == [3])
    #expect(commit.outcome == .succeeded)
  }

  @Test func aCallWithoutAStatusHasAnUnknownOutcome() {
    let observation = observation
    observation.request(UnaryBody.body(of: [1]))
    observation.abandon()
    #expect(seen.commits.map(\.outcome) == [.unknown])
  }

  @Test func aRequestOver1MiBIsNotCommitted() {
    let observation = observation
    observation.request(UnaryBody.body(of: [UInt8](repeating: 0, count: 1 << 20)))
    observation.request(ByteBuffer(bytes: [1]))
    observation.ended(.trailers(Status(.ok, "")))
    #expect(seen.commits.isEmpty)
  }

  @Test(arguments: [[], [0, 0, 0, 0, 9, 1], [1, 0, 0, 0, 1, 1]] as [[UInt8]])
  func aRequestThatIsNoMessageIsNotCommitted(body: [UInt8]) {
    let observation = observation
    observation.request(ByteBuffer(bytes: body))
    observation.ended(.trailers(Status(.ok, "")))
    #expect(seen.commits.isEmpty)
  }
}
