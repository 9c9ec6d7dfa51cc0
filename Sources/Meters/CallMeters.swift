package import CoreMetrics
internal import Prometheus
internal import Synchronization

/// What is counted of every call, relayed ones included: additions with handles that are there already.
// Unchecked, because it is confined to the event loop, but for `inFlight`, which is read by whoever scrapes.
package final class CallMeters: @unchecked Sendable {
  private let methods: [String]
  private let codes: [String]
  private let factory: any MetricsFactory
  /// By method, then by code; each is made when it is first needed.
  private var calls: [Counter?]
  private let requestBytes: Counter
  private let answerBytes: Counter
  private let level = Atomic<Int>(0)

  /// - Parameters:
  ///   - methods: The values of the label `method`; a method is known by its index from then on.
  ///   - codes: Those of the label `code`.
  package init(methods: [String], codes: [String], factory: any MetricsFactory = MetricsSystem.factory) {
    self.methods = methods
    self.codes = codes
    self.factory = factory
    calls = Array(repeating: nil, count: methods.count * codes.count)
    requestBytes = Self.bytes("request", factory)
    answerBytes = Self.bytes("answer", factory)
  }

  private static func bytes(_ direction: String, _ factory: any MetricsFactory) -> Counter {
    Counter(label: MetricTable.relayedBytes.name, dimensions: [("direction", direction)], factory: factory)
  }

  package func callBegins() { level.wrappingAdd(1, ordering: .relaxed) }

  package func callEnds(method: Int, code: Int) {
    counter(method: method, code: code).increment()
    // Behind it: when nothing is in flight, everything is counted.
    level.wrappingSubtract(1, ordering: .releasing)
  }

  private func counter(method: Int, code: Int) -> Counter {
    let index = method * codes.count + code
    if let counter = calls[index] { return counter }
    let counter = Counter(
      label: MetricTable.calls.name, dimensions: [("method", methods[method]), ("code", codes[code])], factory: factory)
    calls[index] = counter
    return counter
  }

  package func request(bytes: Int) { requestBytes.increment(by: bytes) }

  package func answer(bytes: Int) { answerBytes.increment(by: bytes) }

  /// Calls that have begun and not ended.
  package var inFlight: Int { level.load(ordering: .acquiring) }
}
