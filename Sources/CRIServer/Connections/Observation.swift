internal import GRPC
internal import HTTP2
internal import NIOCore

/// The copy of a relayed life-cycle call from which the Store learns what happened: request and answer, up
/// to 1 MiB each, decoded beside the path when the status is known. Whatever goes wrong here never touches
/// the call.
final class Observation {
  private let commit: (ByteBuffer, ByteBuffer, CallOutcome) -> Void
  private var requestBody = ByteBuffer()
  private var answerBody = ByteBuffer()
  private var isOversized = false
  private var isOver = false

  /// - Parameter commit: Called at most once, with the request's message, the answer's (empty if there is
  ///   none) and how the call ended.
  init(commit: @escaping (ByteBuffer, ByteBuffer, CallOutcome) -> Void) { self.commit = commit }

  func request(_ data: ByteBuffer) {
    if hasRoom(for: data, behind: requestBody) { requestBody.writeImmutableBuffer(data) }
  }

  func answer(_ data: ByteBuffer) {
    if hasRoom(for: data, behind: answerBody) { answerBody.writeImmutableBuffer(data) }
  }

  /// The runtime's status has arrived.
  func ended(_ trailers: HeaderBlock) {
    end(CallOutcome(trailers.statusCode))
  }

  /// The call is over; without a status its outcome is unknown.
  func abandon() { end(.unknown) }

  private func hasRoom(for data: ByteBuffer, behind body: ByteBuffer) -> Bool {
    guard !isOversized else { return false }
    guard body.readableBytes + data.readableBytes > ServerLimits.observedBytes else { return true }
    isOversized = true
    requestBody = ByteBuffer()
    answerBody = ByteBuffer()
    return false
  }

  private func end(_ outcome: CallOutcome) {
    guard !isOver else { return }
    isOver = true
    guard !isOversized, let request = try? UnaryBody.message(in: requestBody) else { return }
    commit(request, (try? UnaryBody.message(in: answerBody)) ?? ByteBuffer(), outcome)
  }
}
