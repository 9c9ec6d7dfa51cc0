internal import CoreMetrics
internal import Synchronization

/// How often a value fell into which bucket.
///
/// What is recorded as time is counted in seconds.
final class HistogramSeries: Series, RecorderHandler, TimerHandler {
  private struct State {
    var counts: [Int]
    var sum = 0.0
  }

  private let upperBounds: [Double]
  private let state: Mutex<State>

  init(upperBounds: [Double]) {
    self.upperBounds = upperBounds
    state = Mutex(State(counts: Array(repeating: 0, count: upperBounds.count + 1)))
  }

  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func record(_ value: Double) {
    let bucket = upperBounds.firstIndex { value <= $0 } ?? upperBounds.count
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
    }
  }

  /// Each bucket holds those below it as well.
  func write(name: String, labels: String, to text: inout String) {
    let state = state.withLock { $0 }
    let before = labels.isEmpty ? "" : labels + ","
    var count = 0
    for (bound, inBucket) in zip(upperBounds + [.infinity], state.counts) {
      count += inBucket
      text.addSample(name + "_bucket", "\(before)le=\"\(bound.exposed)\"", String(count))
    }
    text.addSample(name + "_sum", labels, state.sum.exposed)
    text.addSample(name + "_count", labels, String(count))
  }
}
