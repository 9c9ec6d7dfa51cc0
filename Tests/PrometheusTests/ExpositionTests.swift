import CoreMetrics
import Prometheus
import Testing

/// The text format 0.0.4 (Prometheus documentation, "Exposition formats").
struct ExpositionTests {
  @Test func countersAndGaugesAreWrittenWithHelpAndType() {
    let exporter = PrometheusExporter([
      MetricFamily("calls_total", .counter, labels: ["method", "code"], "Calls that are over."),
      MetricFamily("level", .gauge, "What is there now."),
    ])
    let counter = Counter(
      label: "calls_total", dimensions: [("code", "OK"), ("method", "Version")], factory: exporter)
    counter.increment(by: 41)
    counter.increment()
    Counter(label: "calls_total", dimensions: [("method", "Exec"), ("code", "OK")], factory: exporter).increment()
    Gauge(label: "level", factory: exporter).record(2.5)
    #expect(
      exporter.text() == """
        # HELP calls_total Calls that are over.
        # TYPE calls_total counter
        calls_total{method="Exec",code="OK"} 1
        calls_total{method="Version",code="OK"} 42
        # HELP level What is there now.
        # TYPE level gauge
        level 2.5

        """)
  }

  @Test func bucketsOfAHistogramHoldThoseBelow() {
    let exporter = PrometheusExporter([
      MetricFamily("took_seconds", .histogram(upperBounds: [0.001, 0.5, 10]), labels: ["plugin"], "Time.")
    ])
    let timer = Timer(label: "took_seconds", dimensions: [("plugin", "a")], factory: exporter)
    for nanoseconds in [1_000_000, 250_000_000, 500_000_001, 60_000_000_000] { timer.recordNanoseconds(nanoseconds) }
    #expect(
      exporter.text() == """
        # HELP took_seconds Time.
        # TYPE took_seconds histogram
        took_seconds_bucket{plugin="a",le="0.001"} 1
        took_seconds_bucket{plugin="a",le="0.5"} 2
        took_seconds_bucket{plugin="a",le="10"} 3
        took_seconds_bucket{plugin="a",le="+Inf"} 4
        took_seconds_sum{plugin="a"} 60.751000001
        took_seconds_count{plugin="a"} 4

        """)
  }

  @Test func whatWouldBreakALineIsEscaped() {
    let exporter = PrometheusExporter([MetricFamily("a_total", .counter, labels: ["l"], "one\\two\n\"three\"")])
    Counter(label: "a_total", dimensions: [("l", "x\"y\\z\nä")], factory: exporter).increment()
    #expect(
      exporter.text() == """
        # HELP a_total one\\\\two\\n"three"
        # TYPE a_total counter
        a_total{l="x\\"y\\\\z\\nä"} 1

        """)
  }

  @Test func aFamilyWithoutSeriesIsNotShown() {
    let exporter = PrometheusExporter([MetricFamily("a_total", .counter, labels: ["l"], "A.")])
    #expect(exporter.text() == "")
  }

  @Test func whatTheTableDoesNotHaveIsNotKept() {
    let exporter = PrometheusExporter([MetricFamily("a_total", .counter, labels: ["l"], "A.")])
    Counter(label: "b_total", factory: exporter).increment()
    Counter(label: "a_total", factory: exporter).increment()
    Counter(label: "a_total", dimensions: [("m", "x")], factory: exporter).increment()
    Counter(label: "a_total", dimensions: [("l", "x"), ("m", "x")], factory: exporter).increment()
    Gauge(label: "a_total", dimensions: [("l", "of another kind")], factory: exporter).record(1)
    #expect(!exporter.text().contains("b_total"))
    #expect(!exporter.text().contains("m="))
  }

  @Test func aSeriesThatIsDestroyedIsGoneAndTheOthersAreNot() {
    let exporter = PrometheusExporter([MetricFamily("a_total", .counter, labels: ["l"], "A.")])
    let gone = Counter(label: "a_total", dimensions: [("l", "gone")], factory: exporter)
    let kept = Counter(label: "a_total", dimensions: [("l", "kept")], factory: exporter)
    gone.increment()
    kept.increment()
    gone.destroy()
    #expect(exporter.text().contains("l=\"kept\"} 1"))
    #expect(!exporter.text().contains("gone"))
  }

  @Test func seriesAreBounded() {
    let exporter = PrometheusExporter([MetricFamily("a_total", .counter, labels: ["l"], "A.")], seriesLimit: 3)
    for number in 0..<1_000 {
      Counter(label: "a_total", dimensions: [("l", "\(number)")], factory: exporter).increment()
    }
    #expect(exporter.text().split(separator: "\n").count == 2 + 3)
  }

  @Test func whatIsLookedAtIsLookedAtWithEachScrape() {
    let exporter = PrometheusExporter([MetricFamily("level", .gauge, "Level.")])
    let gauge = Meter(label: "level", factory: exporter)
    // The gauge holds the exporter.
    exporter.beforeEachScrape { [weak gauge] in gauge?.increment() }
    withExtendedLifetime(gauge) {
      #expect(exporter.text().hasSuffix("level 1\n"))
      #expect(exporter.text().hasSuffix("level 2\n"))
    }
  }
}
