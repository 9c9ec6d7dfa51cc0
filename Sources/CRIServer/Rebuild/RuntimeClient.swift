package import CRIMessages
package import GRPC
internal import HTTP2
internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// Asks the runtime over its endpoint's own connection, in the CRI version that it serves.
package final class RuntimeClient: RuntimeQueries {
  private let endpoint: RuntimeEndpoint
  /// The version that answered last. A runtime may come back as one that serves another.
  private let version = Mutex(CRIVersion.v1)

  package init(_ endpoint: RuntimeEndpoint) { self.endpoint = endpoint }

  package func listPodSandboxes(timeout: Duration) async throws(Status) -> [String] {
    let answer: CRIListPodSandboxResponse = try await ask("ListPodSandbox", CRIListPodSandboxRequest(), timeout)
    return answer.items.map(\.id)
  }

  package func listContainers(timeout: Duration) async throws(Status) -> [(id: String, podSandboxID: String)] {
    let answer: CRIListContainersResponse = try await ask("ListContainers", CRIListContainersRequest(), timeout)
    return answer.containers.map { ($0.id, $0.podSandboxID) }
  }

  package func podSandboxStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIPodSandboxStatusResponse {
    let request = CRIPodSandboxStatusRequest.with {
      $0.podSandboxID = id
      $0.verbose = true
    }
    return try await ask("PodSandboxStatus", request, timeout)
  }

  package func containerStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIContainerStatusResponse {
    let request = CRIContainerStatusRequest.with {
      $0.containerID = id
      $0.verbose = true
    }
    return try await ask("ContainerStatus", request, timeout)
  }

  private func ask<Answer: Message>(
    _ method: String, _ request: some Message, _ timeout: Duration
  ) async throws(Status) -> Answer {
    let version = version.withLock { $0 }
    do throws(Status) {
      return try await ask(version, method, request, timeout)
    } catch {
      guard error.code == .unimplemented, let other = CRIVersion.allCases.first(where: { $0 != version }) else {
        throw error
      }
      let answer: Answer = try await ask(other, method, request, timeout)
      self.version.withLock { $0 = other }
      return answer
    }
  }

  private func ask<Answer: Message>(
    _ version: CRIVersion, _ method: String, _ request: some Message, _ timeout: Duration
  ) async throws(Status) -> Answer {
    guard timeout > .zero else { throw Status(.deadlineExceeded, "no time is left to ask the runtime") }
    let message: [UInt8] = (try? request.serializedBytes()) ?? []
    let answer = try await answer(
      path: version.runtimeService(method), UnaryBody.body(of: message), timeout: timeout)
    guard let body = try? UnaryBody.message(in: answer),
      let message = try? Answer(serializedBytes: Array(body.readableBytesView))
    else { throw Status(.internalError, "\(endpoint.text): \(method): the answer cannot be decoded") }
    return message
  }

  /// The body of a good answer. Header blocks stay on the event loop; a rebuild decodes large lists elsewhere.
  private func answer(path: String, _ body: ByteBuffer, timeout: Duration) async throws(Status) -> ByteBuffer {
    try await withTaskExecutorPreference(endpoint.group.executor) { () async throws(Status) in
      let answer: UnaryAnswer
      do throws(CallFailure) {
        answer = try await endpoint.channel.unary(
          .request(path: path, timeout: timeout), body, deadline: .now() + TimeAmount(timeout),
          answerLimitBytes: ServerLimits.messageBytes + UnaryBody.prefixBytes)
      } catch { throw Status(error, endpoint: endpoint) }
      guard answer.code == .ok else { throw answer.status }
      return answer.body
    }
  }
}
