package import CoreMetrics
internal import Prometheus

/// What is counted of the Store's rebuilds.
package struct RebuildMeters: Sendable {
  package let rebuilt: Counter
  package let failed: Counter

  package init(factory: any MetricsFactory = MetricsSystem.factory) {
    rebuilt = Counter(label: MetricTable.rebuilds.name, dimensions: [("outcome", "done")], factory: factory)
    failed = Counter(label: MetricTable.rebuilds.name, dimensions: [("outcome", "failed")], factory: factory)
  }
}
