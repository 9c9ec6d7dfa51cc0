package import CoreMetrics
internal import Synchronization

/// swift-metrics' backend for a Prometheus that scrapes: keeps the numbers and writes them as text.
///
/// What it keeps is a table of families that is known from the start; of any other metric, and of one with labels that
/// the table does not have, nothing is kept. A handle that is made once is good for ever: counting with it takes no look-up
/// and no lock.
package final class PrometheusExporter: MetricsFactory {
  /// Of the text that ``text()`` gives (Prometheus documentation, "Exposition formats").
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
  /// The most series of one family: beyond it nothing more is counted.
  package static let seriesLimit = 5_000

  private let families: [FamilySeries]
  private let byName: [String: FamilySeries]
  private let refreshments = Mutex<[@Sendable () -> Void]>([])

  /// - Parameter families: In the order in which they are shown; each name once.
  package init(_ families: [MetricFamily], seriesLimit: Int = seriesLimit) {
    self.families = families.map { FamilySeries($0, limit: seriesLimit) }
    byName = Dictionary(self.families.map { ($0.family.name, $0) }) { first, _ in first }
  }

  /// Has `body` called before each scrape, on the thread that scrapes, to record what is not counted but looked at.
  package func beforeEachScrape(_ body: @escaping @Sendable () -> Void) { refreshments.withLock { $0.append(body) } }

  /// All there is, in the text format 0.0.4.
  package func text() -> String {
    for refresh in refreshments.withLock({ $0 }) { refresh() }
    return families.reduce(into: "") { $1.write(to: &$0) }
  }

  private func series<Wanted>(
    _ label: String, _ dimensions: [(String, String)], as _: Wanted.Type
  ) -> Wanted? {
    guard let family = byName[label] else { return nil }
    return family.series(dimensions) { family.family.kind.makeSeries() } as? Wanted
  }

  // MARK: MetricsFactory

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, as: CounterSeries.self) ?? NOOPMetricsHandler.instance
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
  }

  package func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if aggregate { return series(label, dimensions, as: HistogramSeries.self) ?? NOOPMetricsHandler.instance }
    return series(label, dimensions, as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, as: HistogramSeries.self) ?? NOOPMetricsHandler.instance
  }

  package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
  package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
  package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
  package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

  private func forget(_ handler: AnyObject) { for family in families { family.forget(handler) } }
}

extension MetricFamily.Kind {
  fileprivate func makeSeries() -> any Series {
    switch self {
    case .counter: CounterSeries()
    case .gauge: GaugeSeries()
    case .histogram(let upperBounds): HistogramSeries(upperBounds: upperBounds)
    }
  }
}
