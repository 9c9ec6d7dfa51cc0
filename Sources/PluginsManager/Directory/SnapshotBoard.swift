internal import Synchronization

/// Holds the newest snapshot for whoever asks, and hands each new one to whoever waits.
final class SnapshotBoard: Sendable {
  private struct State {
    var newest = RegistrationSnapshot.empty
    var watchers: [Int: AsyncStream<RegistrationSnapshot>.Continuation] = [:]
    var lastWatcher = 0
  }

  private let state = Mutex(State())

  var newest: RegistrationSnapshot { state.withLock { $0.newest } }

  func post(_ snapshot: RegistrationSnapshot) {
    let watchers = state.withLock { state in
      state.newest = snapshot
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.yield(snapshot) }
  }

  /// The newest snapshot now, then each new one; a slow reader skips to the newest.
  func snapshots() -> AsyncStream<RegistrationSnapshot> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: RegistrationSnapshot.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = continuation
      // Yields do not run a reader, and in here none can overtake a post.
      continuation.yield(state.newest)
      return state.lastWatcher
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { $0.watchers[id] = nil }
    }
    return stream
  }
}
