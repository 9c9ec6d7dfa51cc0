internal import CoreMetrics
internal import Synchronization

/// One set of label values of a family, and its numbers.
protocol Series: AnyObject, Sendable {
  /// Adds its lines.
  /// - Parameter labels: The series' own, as they stand between the braces; empty if it has none.
  func write(name: String, labels: String, to text: inout String)
}

/// Adding is one instruction, from any thread.
final class CounterSeries: Series, CounterHandler {
  private let value = Atomic<Int>(0)

  func increment(by amount: Int64) { value.wrappingAdd(Int(amount), ordering: .relaxed) }
  func reset() { value.store(0, ordering: .relaxed) }

  func write(name: String, labels: String, to text: inout String) {
    text.addSample(name, labels, String(value.load(ordering: .relaxed)))
  }
}

final class GaugeSeries: Series, RecorderHandler, MeterHandler {
  private let value = Mutex(0.0)

  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }
  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { self.value.withLock { $0 = value } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func decrement(by amount: Double) { value.withLock { $0 -= amount } }

  func write(name: String, labels: String, to text: inout String) {
    text.addSample(name, labels, value.withLock { $0 }.exposed)
  }
}

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

extension String {
  fileprivate mutating func addSample(_ name: String, _ labels: String, _ value: String) {
    self += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }
}

extension Double {
  /// As Prometheus reads numbers, which is as Go does: whole ones without a fraction.
  fileprivate var exposed: String {
    if self == .infinity { return "+Inf" }
    return Int(exactly: self).map(String.init) ?? "\(self)"
  }
}
