internal import CRIMessages
internal import GRPC
internal import HTTP2
internal import NIOCore
internal import SwiftProtobuf

/// What a CRI endpoint says of itself.
struct RuntimeVersion: Sendable, Hashable {
  let name: String
  let version: String
  /// The CRI that it was asked in: `v1`, or `v1alpha2` if it knows no other.
  let api: String

  /// What the answer may take: a runtime under load is not a broken one.
  private static let timeout: Duration = .seconds(30)

  /// Asks whoever serves a socket. Must run on the group's executor.
  ///
  /// - Throws: a status with what went wrong, for people.
  static func of(_ path: String, _ group: ConnectionGroup) async throws(Status) -> RuntimeVersion {
    let channel = ClientChannel(path: path, group: group)
    defer { channel.close() }
    do throws(Status) {
      return try await ask("v1", channel)
    } catch {
      guard error.code == .unimplemented else { throw error }
      return try await ask("v1alpha2", channel)
    }
  }

  private static func ask(_ api: String, _ channel: ClientChannel) async throws(Status) -> RuntimeVersion {
    let answer: UnaryAnswer
    do throws(CallFailure) {
      answer = try await channel.unary(
        .request(path: "/runtime.\(api).RuntimeService/Version", timeout: timeout), UnaryBody.body(of: []),
        deadline: .now() + TimeAmount(timeout), answerLimitBytes: 1 << 20)
    } catch {
      throw Status(.unavailable, words(for: error))
    }
    guard answer.code == .ok else { throw answer.status }
    guard let body = try? UnaryBody.message(in: answer.body),
      let version = try? CRIVersionResponse(serializedBytes: Array(body.readableBytesView))
    else { throw Status(.internalError, "its answer cannot be decoded") }
    return RuntimeVersion(name: version.runtimeName, version: version.runtimeVersion, api: api)
  }

  private static func words(for failure: CallFailure) -> String {
    switch failure {
    case .unreachable(_, let reason): reason
    case .wrongOwner(let uid): "belongs to uid \(uid)"
    case .deadlineExceeded: "accepts the connection and does not answer within \(timeout.components.seconds) s"
    case .notProcessed, .connectionLost, .reset, .cancelled, .tooLarge: "what answers is no gRPC server"
    }
  }
}
