internal import Synchronization

/// Values that several tasks deliver and one waits for. The waiting is not cut short by cancellation, only by
/// ``close()``: Post hooks go on when kubelet has left.
final class Gathering<Value: Sendable>: Sendable {
  private struct State {
    var values: [Value?]
    var missing: Int
    var waiter: CheckedContinuation<[Value?], Never>?
  }

  private let state: Mutex<State>

  init(count: Int) {
    state = Mutex(State(values: Array(repeating: nil, count: count), missing: count))
  }

  /// Delivers the value with this index; a second one for it changes nothing.
  func deliver(_ value: Value, at index: Int) {
    resume { state in
      guard state.values[index] == nil else { return }
      state.values[index] = value
      state.missing -= 1
    }
  }

  /// Ends the waiting with what is there.
  func close() { resume { $0.missing = 0 } }

  /// Waits for all values. One task may wait, once.
  func values() async -> [Value?] {
    await withCheckedContinuation { continuation in
      resume { $0.waiter = continuation }
    }
  }

  private func resume(after change: (inout State) -> Void) {
    let (waiter, values) = state.withLock { state in
      change(&state)
      guard state.missing <= 0, let waiter = state.waiter else {
        return (CheckedContinuation<[Value?], Never>?.none, [Value?]())
      }
      state.waiter = nil
      return (waiter, state.values)
    }
    waiter?.resume(returning: values)
  }
}
