package import CRIMessages
package import GRPC

/// What RuntimeManager itself asks the runtime, to learn what it has not seen.
///
/// Each call ends within its timeout, with DEADLINE_EXCEEDED if need be; a timeout that is not positive has passed
/// already. The statuses are asked with `verbose: true`.
package protocol RuntimeQueries: Sendable {
  /// The ids of all pod sandboxes.
  func listPodSandboxes(timeout: Duration) async throws(Status) -> [String]
  /// All containers, running or not, with the pod sandboxes they belong to.
  func listContainers(timeout: Duration) async throws(Status) -> [(id: String, podSandboxID: String)]
  func podSandboxStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIPodSandboxStatusResponse
  func containerStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIContainerStatusResponse
}
