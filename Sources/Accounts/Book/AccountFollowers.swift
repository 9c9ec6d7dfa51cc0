internal import Synchronization

/// Who follows the book. A slow reader misses accounts and is told how many; it never delays anybody.
final class AccountFollowers: Sendable {
  private struct Follower {
    let continuation: AsyncStream<AccountEvent>.Continuation
    var missed = 0
  }

  private struct State {
    var followers: [Int: Follower] = [:]
    var lastID = 0
  }

  private let state = Mutex(State())

  /// - Parameter limit: The most accounts that wait for the reader.
  func follow(limit: Int) -> AsyncStream<AccountEvent> {
    let (stream, continuation) = AsyncStream.makeStream(of: AccountEvent.self, bufferingPolicy: .bufferingOldest(limit))
    let id = state.withLock { state in
      state.lastID += 1
      state.followers[state.lastID] = Follower(continuation: continuation)
      return state.lastID
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.followers.removeValue(forKey: id) }
    }
    return stream
  }

  func tell(_ number: UInt64, _ account: Account) {
    state.withLock { state in
      // Yielding does not run a reader.
      for (id, follower) in state.followers {
        let event = AccountEvent(number: number, account: account, missed: follower.missed)
        switch follower.continuation.yield(event) {
        case .enqueued: state.followers[id]?.missed = 0
        case .dropped: state.followers[id]?.missed += 1
        case .terminated: break
        @unknown default: break
        }
      }
    }
  }
}
