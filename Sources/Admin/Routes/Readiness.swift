internal import Synchronization

/// Whether kubelet can be served: the socket is, and the runtime has answered once.
///
/// Once ready it stays so: a runtime that is away later is the runtime's matter, and calls say so.
package final class Readiness: Sendable {
  private struct State {
    var isServing = false
    var hasAnswered = false
  }

  private let state = Mutex(State())

  package init() {}

  package func socketIsServed() { state.withLock { $0.isServing = true } }
  package func runtimeHasAnswered() { state.withLock { $0.hasAnswered = true } }

  /// What is missing; nil if nothing is.
  package var missing: String? {
    let state = state.withLock { $0 }
    if !state.isServing { return "the socket is not served yet" }
    return state.hasAnswered ? nil : "the runtime has not answered yet"
  }
}
