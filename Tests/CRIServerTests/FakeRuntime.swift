import CRIMessages
import CRIServer
import GRPC
import Store
import SwiftProtobuf
import Synchronization

/// A runtime's answers without a socket.
final class FakeRuntime: RuntimeQueries {
  struct State {
    var pods: Set<String> = []
    /// Containers and their pods.
    var containers: [String: String] = [:]
    /// What every list or status fails with, by what is asked.
    var failures: [String: Status] = [:]
    /// What was asked, in order: "list pods", "list containers", or an id.
    var asked: [String] = []
    /// Happens after the answer was made and before it arrives, by id.
    var meanwhile: [String: @Sendable () -> Void] = [:]
    var answersTellThePod = true
    /// Each status waits for this many to be in flight.
    var companions = 1
    var inFlight = 0
    var mostInFlight = 0
  }

  private let state = Mutex(State())

  init(pods: Set<String> = [], containers: [String: String] = [:]) {
    state.withLock { ($0.pods, $0.containers) = (pods, containers) }
  }

  func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

  var mostInFlight: Int { state.withLock { $0.mostInFlight } }
  var asked: [String] { state.withLock { $0.asked } }

  func listPodSandboxes(timeout: Duration) async throws(Status) -> [String] {
    try note("list pods", timeout)
    return state.withLock { $0.pods.sorted() }
  }

  func listContainers(timeout: Duration) async throws(Status) -> [(id: String, podSandboxID: String)] {
    try note("list containers", timeout)
    return state.withLock { $0.containers.map { ($0.key, $0.value) } }
  }

  func podSandboxStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIPodSandboxStatusResponse {
    try note(id, timeout)
    guard let whole = state.withLock({ $0.pods.sorted().first { $0.hasPrefix(id) } }) else {
      throw Status(.notFound, "no pod \(id)")
    }
    await meetCompanions()
    state.withLock { $0.meanwhile.removeValue(forKey: id) }?()
    return .with {
      $0.status.id = whole
      $0.info["info"] = #"{"config": {"labels": {"pod": "\#(whole)"}, "linux": {"cgroup_parent": "/kubepods"}}}"#
    }
  }

  func containerStatus(_ id: String, timeout: Duration) async throws(Status) -> CRIContainerStatusResponse {
    try note(id, timeout)
    let (found, tellsThePod) = state.withLock { state in
      (state.containers.first { $0.key.hasPrefix(id) }, state.answersTellThePod)
    }
    guard let (whole, pod) = found else { throw Status(.notFound, "no container \(id)") }
    await meetCompanions()
    state.withLock { $0.meanwhile.removeValue(forKey: id) }?()
    let sandboxID = tellsThePod ? #""sandboxID": "\#(pod)", "# : ""
    return .with {
      $0.status.id = whole
      $0.info["info"] = """
        {\(sandboxID)"config": {"metadata": {"name": "read"}}, "runtimeSpec": {"linux": {"cgroupsPath": "/own/\(whole)"}}}
        """
    }
  }

  private func note(_ what: String, _ timeout: Duration) throws(Status) {
    let failure = state.withLock { state in
      state.asked.append(what)
      return state.failures[what]
    }
    if let failure { throw failure }
    if timeout <= .zero { throw Status(.deadlineExceeded, "no time is left") }
  }

  /// Waits until enough statuses are in flight; gives up if they never are, so that a test fails and does not hang.
  private func meetCompanions() async {
    state.withLock {
      $0.inFlight += 1
      $0.mostInFlight = max($0.mostInFlight, $0.inFlight)
    }
    for _ in 0..<100_000 {
      if state.withLock({ $0.mostInFlight >= $0.companions }) { break }
      await Task.yield()
    }
    state.withLock { $0.inFlight -= 1 }
  }
}
