/// One set of label values of a family, and its numbers.
protocol Series: AnyObject, Sendable {
  /// Adds its lines.
  /// - Parameter labels: The series' own, as they stand between the braces; empty if it has none.
  func write(name: String, labels: String, to text: inout String)
}

extension String {
  /// Adds one line.
  mutating func addSample(_ name: String, _ labels: String, _ value: String) {
    self += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }
}

extension Double {
  /// As Prometheus reads numbers, which is as Go does: whole ones without a fraction.
  var exposed: String {
    if self == .infinity { return "+Inf" }
    return Int(exactly: self).map(String.init) ?? "\(self)"
  }
}
