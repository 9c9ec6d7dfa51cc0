internal import ArgumentParser

/// How a command prints what it found; the same for all of them.
struct OutputOptions: ParsableArguments {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    /// For people: laid out for the terminal, in colour where that is wanted.
    case table
    /// For programs: one document, its keys sorted.
    case json
  }

  @Option(help: ArgumentHelp("table or json.", valueName: "format"))
  var output = Format.table

  /// Prints a document: as JSON, or as `people` lays it out.
  func print(_ document: some Encodable, for people: (Terminal) -> [String]) throws {
    switch output {
    case .table: for line in people(.ofStandardOutput()) { Swift.print(line) }
    case .json: Swift.print(try JSONText.of(document))
    }
  }
}
