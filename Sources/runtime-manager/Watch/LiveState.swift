internal import Admin

/// What the live view shows: the last look at the daemon, and what it told since.
struct LiveState: Sendable {
  /// More than any terminal has lines for.
  private static let refusalsKept = 100

  private var sample: CallSample?
  private(set) var callsPerSecond: Double?
  private(set) var inFlight = 0
  private(set) var plugins: PluginsDocument?
  private(set) var hookedCalls = 0
  /// The latest first.
  private(set) var refusals: [CallDocument] = []

  mutating func looked(_ sample: CallSample, _ plugins: PluginsDocument) {
    if let before = self.sample { callsPerSecond = sample.perSecond(since: before) }
    self.sample = sample
    inFlight = sample.inFlight
    self.plugins = plugins
  }

  mutating func heard(_ call: CallDocument) {
    hookedCalls += 1
    guard call.refusal != nil else { return }
    refusals.insert(call, at: 0)
    if refusals.count > Self.refusalsKept { refusals.removeLast() }
  }

  func lines(for terminal: Terminal) -> [String] {
    let rate = callsPerSecond.map { Words.fixed($0, digits: $0 < 10 ? 1 : 0) } ?? "-"
    let numbers = "calls/s \(rate)  in flight \(inFlight)  hooked calls seen \(hookedCalls)"
    let table = plugins.flatMap { $0.plugins.isEmpty ? nil : $0.table.lines(for: terminal) }
    return numbers.wrapped(to: terminal.room).map { terminal.styled($0, .heading) } + [""]
      + (table ?? ["no registration files"]) + [""]
      + [terminal.styled("LAST REFUSALS", .heading)] + refusalLines(for: terminal)
  }

  private func refusalLines(for terminal: Terminal) -> [String] {
    guard !refusals.isEmpty else { return ["none since this began"] }
    return refusals.flatMap { call in
      call.refusalLine.wrapped(to: terminal.room, indent: 2).map { terminal.styled($0, .bad) }
    }
  }
}
