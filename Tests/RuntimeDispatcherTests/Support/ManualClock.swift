import RuntimeDispatcher
import Synchronization

/// A clock that only a test moves, and may move as no clock should. Nothing ever waits for real time.
final class ManualClock: HookClock {
  private struct Sleeper {
    /// By ``State/passed``.
    let due: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = ContinuousClock.now
    /// What has really passed, whatever the clock shows.
    var passed = Duration.zero
    var sleepers: [Int: Sleeper] = [:]
    var cancelled: Set<Int> = []
    var lastID = 0
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var now: ContinuousClock.Instant { state.withLock { $0.now } }

  func sleep(for duration: Duration) async throws {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (result, watchers) = state.withLock {
          state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
          if state.cancelled.remove(id) != nil { return (.failure(CancellationError()), []) }
          if duration <= .zero { return (.success(()), []) }
          state.sleepers[id] = Sleeper(due: state.passed + duration, continuation: continuation)
          let due = state.watchers.filter { $0.count <= state.sleepers.count }
          state.watchers.removeAll { $0.count <= state.sleepers.count }
          return (nil, due.map(\.continuation))
        }
        if let result { continuation.resume(with: result) }
        watchers.forEach { $0.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        if let sleeper = state.sleepers.removeValue(forKey: id) { return Sleeper?.some(sleeper) }
        state.cancelled.insert(id)
        return nil
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Lets `duration` pass and wakes who is due, the one that is due first before the others.
  /// - Parameter shown: what the clock shows of it: nothing if it stands still, less than nothing if it runs backwards;
  ///   all of it, unless told otherwise.
  func advance(by duration: Duration, showing shown: Duration? = nil) {
    let due = state.withLock { state in
      state.now += shown ?? duration
      state.passed += duration
      let due = state.sleepers.filter { $0.value.due <= state.passed }
      for id in due.keys { state.sleepers[id] = nil }
      return due.sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }.map(\.value.continuation)
    }
    due.forEach { $0.resume() }
  }

  /// Sets the clock: nothing passes, and it shows an instant that is `shown` later, or earlier.
  func set(by shown: Duration) { advance(by: .zero, showing: shown) }

  /// How many tasks sleep.
  var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Returns when at least so many tasks sleep.
  func sleepers(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
