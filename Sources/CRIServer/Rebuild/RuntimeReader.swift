internal import CRIMessages
internal import GRPC
internal import RuntimeDispatcher
internal import Store

/// Reads single records from the runtime into the Store.
///
/// Each reading has a token of its own from before the runtime is asked, so that what happens to the object until the
/// answer is there counts more than the answer. NotFound removes the record. The record is kept under the id that the
/// runtime answers: people may ask with the beginning of one.
struct RuntimeReader: Sendable {
  let store: Store
  let runtime: any RuntimeQueries
  let clock: SteadyClock

  /// Reads a pod sandbox.
  /// - Returns: what the Store knows now; nil if the pod was removed meanwhile.
  /// - Throws: the runtime's status, or DEADLINE_EXCEEDED.
  func readPod(_ id: String, deadline: ContinuousClock.Instant) async throws(Status) -> PodRecord? {
    let token = store.beginReading()
    defer { store.endReading(token) }
    do throws(Status) {
      let response = try await runtime.podSandboxStatus(id, timeout: clock.left(until: deadline))
      let wholeID = response.status.id.isEmpty ? id : response.status.id
      let record = VerbosePodStatus(response).record(remembered: store.pod(wholeID))
      store.rememberPod(record, id: wholeID, from: token)
      return store.pod(wholeID)
    } catch {
      if error.code == .notFound { store.remove(.pod(id)) }
      throw error
    }
  }

  /// Reads a container, and its pod if that is missing: only the pod tells whether a cgroup parent is the container's
  /// own.
  /// - Parameter podSandboxID: the container's pod if it is known.
  /// - Returns: what the Store knows now; nil if the container was removed meanwhile, or is of no pod.
  /// - Throws: the runtime's status about the container, or DEADLINE_EXCEEDED.
  func readContainer(
    _ id: String, podSandboxID: String?, deadline: ContinuousClock.Instant
  ) async throws(Status) -> ContainerRecord? {
    let token = store.beginReading()
    defer { store.endReading(token) }
    do throws(Status) {
      let response = try await runtime.containerStatus(id, timeout: clock.left(until: deadline))
      let wholeID = response.status.id.isEmpty ? id : response.status.id
      let status = VerboseContainerStatus(response)
      var pod = status.podSandboxID ?? podSandboxID
      if pod == nil { pod = try await listedPod(of: wholeID, deadline: deadline) }
      guard let pod else { return nil }
      if store.pod(pod) == nil { _ = try? await readPod(pod, deadline: deadline) }
      let record = status.record(
        id: wholeID, podSandboxID: pod, pod: store.pod(pod), remembered: store.container(wholeID))
      store.rememberContainer(record, from: token)
      return store.container(wholeID)
    } catch {
      if error.code == .notFound { store.remove(.container(id)) }
      throw error
    }
  }

  /// Finds the pod of a container in the list of all, for a runtime whose status does not tell it.
  private func listedPod(of id: String, deadline: ContinuousClock.Instant) async throws(Status) -> String? {
    try await runtime.listContainers(timeout: clock.left(until: deadline)).first { $0.id == id }?.podSandboxID
  }
}
