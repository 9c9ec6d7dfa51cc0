internal import Admin

extension PluginsDocument {
  /// A table of all, and below it what each has to say for itself.
  func lines(for terminal: Terminal) -> [String] {
    guard !plugins.isEmpty else { return ["no registration files"] }
    return table.lines(for: terminal) + plugins.flatMap { [""] + $0.lines(for: terminal) }
  }

  var table: Table {
    Table(
      ["PLUGIN", "STATE", "POLICY", "CALLS", "FAILED", "P50", "P99"],
      rows: plugins.map { plugin in
        [
          .init(plugin.name), .init(plugin.state.rawValue, plugin.state.style), .init(plugin.policy ?? "-"),
          .init("\(plugin.calls)"), .init("\(plugin.failed)", plugin.failed == 0 ? .plain : .warning),
          .init(plugin.p50Ms.map(Words.duration) ?? "-"), .init(plugin.p99Ms.map(Words.duration) ?? "-"),
        ]
      })
  }
}

extension PluginDocument {
  var failed: Int { failures.values.reduce(0, +) }

  private var failureCounts: String {
    failures.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: ", ")
  }

  fileprivate func lines(for terminal: Terminal) -> [String] {
    let rows: [(String, String?)] = [
      ("why", reason), ("since", since.map(Words.time)), ("file", file), ("broken", fileError), ("endpoint", endpoint),
      ("hooks", hooks.isEmpty ? nil : hooks.joined(separator: " ")),
      ("timeout", timeoutMs.map(Words.duration)),
      ("failures", failures.isEmpty ? nil : failureCounts),
      ("last error", lastError.map { "\(Words.time($0.time)) \($0.text)" }),
    ]
    let name = terminal.styled(Table.Cell(name).text, .heading)
    let shown = rows.compactMap { name, value in value.map { (name, $0) } }
    // Two columns need some room.
    guard terminal.room >= 60 else {
      return [name]
        + shown.flatMap { Table.Cell("\($0): \($1)").text.wrapped(to: terminal.room - 2, indent: 2) }
        .map { $0.indented(by: 2) }
    }
    let table = Table(
      ["", ""], rows: shown.map { [.init("  \($0)", .faint), .init($1, $0 == "broken" ? .bad : .plain)] })
    return [name] + table.lines(for: terminal)
  }
}

extension PluginDocument.State {
  var style: TextStyle {
    switch self {
    case .healthy: .good
    case .tripped, .unreachable: .warning
    case .rejected: .bad
    }
  }
}
