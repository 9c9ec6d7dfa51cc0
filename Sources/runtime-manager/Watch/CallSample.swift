/// What the daemon's metrics say of calls at one moment.
struct CallSample: Sendable {
  let calls: Double
  let inFlight: Int
  let taken: ContinuousClock.Instant

  /// - Parameter text: The metrics in Prometheus' text format.
  init(_ text: String, taken: ContinuousClock.Instant) {
    let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    func sum(_ name: String) -> Double {
      samples.reduce(0) { sum, line in
        guard line.hasPrefix(name), let next = line.dropFirst(name.count).first, "{ ".contains(next) else { return sum }
        return sum + (line.split(separator: " ").last.flatMap { Double($0) } ?? 0)
      }
    }
    calls = sum("runtime_manager_calls_total")
    inFlight = Int(sum("runtime_manager_calls_in_flight"))
    self.taken = taken
  }

  /// Nil if no time has passed, or the daemon has begun anew.
  func perSecond(since earlier: CallSample) -> Double? {
    let time = earlier.taken.duration(to: taken)
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    return seconds > 0 && calls >= earlier.calls ? (calls - earlier.calls) / seconds : nil
  }
}
