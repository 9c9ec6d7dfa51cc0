package import CoreMetrics
internal import Prometheus
internal import Synchronization

/// What is not counted but looked at, each time that somebody scrapes.
package final class StateMeters: Sendable {
  /// What is seen at one look.
  package struct Look: Sendable {
    package var callsInFlight = 0
    package var owedCalls = 0
    package var pods = 0
    package var containers = 0
    package var storeBytes = 0
    /// Each registered plugin, and whether its breaker is open.
    package var breakers: [String: Bool] = [:]
    /// How many registration files stand how; the values of the label `state`.
    package var registrationFiles: [String: Int] = [:]

    package init() {}
  }

  private let factory: any MetricsFactory
  private let callsInFlight: Gauge
  private let owedCalls: Gauge
  private let pods: Gauge
  private let containers: Gauge
  private let storeBytes: Gauge
  private let breakers = Mutex<[String: Gauge]>([:])

  package init(version: String, factory: any MetricsFactory = MetricsSystem.factory) {
    self.factory = factory
    callsInFlight = Gauge(label: MetricTable.callsInFlight.name, factory: factory)
    owedCalls = Gauge(label: MetricTable.owedCalls.name, factory: factory)
    pods = Gauge(label: MetricTable.storePods.name, factory: factory)
    containers = Gauge(label: MetricTable.storeContainers.name, factory: factory)
    storeBytes = Gauge(label: MetricTable.storeBytes.name, factory: factory)
    Gauge(label: MetricTable.buildInfo.name, dimensions: [("version", version)], factory: factory).record(1)
  }

  package func show(_ look: Look) {
    callsInFlight.record(look.callsInFlight)
    owedCalls.record(look.owedCalls)
    pods.record(look.pods)
    containers.record(look.containers)
    storeBytes.record(look.storeBytes)
    for (state, count) in look.registrationFiles {
      Gauge(label: MetricTable.registrationFiles.name, dimensions: [("state", state)], factory: factory).record(count)
    }
    breakers.withLock { breakers in
      for (plugin, gauge) in breakers where look.breakers[plugin] == nil {
        gauge.destroy()
        breakers[plugin] = nil
      }
      for (plugin, isOpen) in look.breakers {
        let gauge =
          breakers[plugin]
          ?? Gauge(label: MetricTable.breakerOpen.name, dimensions: [("plugin", plugin)], factory: factory)
        breakers[plugin] = gauge
        gauge.record(isOpen ? 1 : 0)
      }
    }
  }
}
