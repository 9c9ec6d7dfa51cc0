package import CoreMetrics
internal import Prometheus

/// What is counted of the way to the runtime.
package struct RuntimeMeters: Sendable {
  private let connects: Counter
  private let up: Gauge

  package init(factory: any MetricsFactory = MetricsSystem.factory) {
    connects = Counter(label: MetricTable.runtimeConnects.name, factory: factory)
    up = Gauge(label: MetricTable.runtimeUp.name, factory: factory)
    up.record(0)
  }

  /// The runtime was reached, or lost.
  package func runtime(isUp: Bool) {
    if isUp { connects.increment() }
    up.record(isUp ? 1 : 0)
  }
}
