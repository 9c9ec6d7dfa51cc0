internal import CoreMetrics
internal import Synchronization

/// Adding is one instruction, from any thread.
final class CounterSeries: Series, CounterHandler {
  private let value = Atomic<Int>(0)

  func increment(by amount: Int64) { value.wrappingAdd(Int(amount), ordering: .relaxed) }
  func reset() { value.store(0, ordering: .relaxed) }

  func write(name: String, labels: String, to text: inout String) {
    text.addSample(name, labels, String(value.load(ordering: .relaxed)))
  }
}
