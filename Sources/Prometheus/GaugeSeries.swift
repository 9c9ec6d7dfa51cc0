internal import CoreMetrics
internal import Synchronization

/// A level, which goes up and down.
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
