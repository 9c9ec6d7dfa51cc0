internal import Synchronization

/// A family with its series.
final class FamilySeries: Sendable {
  let family: MetricFamily
  private let limit: Int
  private let series = Mutex<[[String]: any Series]>([:])

  init(_ family: MetricFamily, limit: Int) {
    self.family = family
    self.limit = limit
  }

  /// The series with these label values, made now if there is none.
  /// - Returns: nil if there are too many, or the labels are others than the family's.
  func series(_ dimensions: [(String, String)], make: () -> any Series) -> (any Series)? {
    var values: [String] = []
    for label in family.labels {
      guard let value = dimensions.first(where: { $0.0 == label })?.1 else { return nil }
      values.append(value)
    }
    guard dimensions.count == values.count else { return nil }
    return series.withLock { series in
      if let known = series[values] { return known }
      guard series.count < limit else { return nil }
      let new = make()
      series[values] = new
      return new
    }
  }

  func forget(_ gone: AnyObject) {
    series.withLock { series in
      if let values = series.first(where: { $0.value === gone })?.key { series[values] = nil }
    }
  }

  /// Adds help, type and all series, in order of their label values. A family without series is not shown.
  func write(to text: inout String) {
    let all = series.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    guard !all.isEmpty else { return }
    text += "# HELP \(family.name) \(family.help.escaped(quotes: false))\n# TYPE \(family.name) \(family.kind.name)\n"
    for (values, series) in all {
      let labels = zip(family.labels, values).map { "\($0)=\"\($1.escaped(quotes: true))\"" }.joined(separator: ",")
      series.write(name: family.name, labels: labels, to: &text)
    }
  }
}

extension MetricFamily.Kind {
  fileprivate var name: String {
    switch self {
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    }
  }
}

extension String {
  /// As the text format has it ("Comments, help text, and type information"; "Line format").
  fileprivate func escaped(quotes: Bool) -> String {
    guard utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\"") })
    else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\"" where quotes: text += "\\\""
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
