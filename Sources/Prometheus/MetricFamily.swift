/// A metric with all that does not change about it (Prometheus documentation, "Data model" and "Metric types").
package struct MetricFamily: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// Only grows. Its name ends in `_total`.
    case counter
    case gauge
    /// Buckets by their upper ends, which grow; one for what is above is added.
    case histogram(upperBounds: [Double])
  }

  /// Letters, digits and `_`; the unit last, in its base form.
  package let name: String
  package let kind: Kind
  /// The names of the labels, in the order in which they are shown. Their values come from closed sets: each set of
  /// values is a series that is kept for good.
  package let labels: [String]
  /// What it counts, for people.
  package let help: String

  package init(_ name: String, _ kind: Kind, labels: [String] = [], _ help: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
  }
}
