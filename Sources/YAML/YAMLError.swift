/// Why a text is not read as YAML.
package struct YAMLError: Error, Sendable, Hashable {
  /// Counts from 1.
  package let line: Int
  package let problem: String

  package init(line: Int, problem: String) {
    self.line = line
    self.problem = problem
  }
}
