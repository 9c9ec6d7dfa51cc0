internal import PluginsManager

/// What came out of a simulation, for printing.
struct SimulationDocument: Encodable {
  struct Pod: Encodable {
    let namespace: String
    let name: String
    let qosClass: String
    let steps: [Step]
    /// Envs whose values a manifest does not tell; plugins have not seen them.
    let unknownEnvs: Int
  }

  struct Step: Encodable {
    let hookPoint: String
    let container: String?
    let plugins: [String]
    let changes: [SimulatedChange]
    let notes: [String]
    let refusal: String?

    init(_ step: Simulation.Step) {
      hookPoint = step.point.rawValue
      container = step.container
      plugins = step.plugins
      changes = step.changes
      notes = step.notes
      refusal = step.refusal
    }
  }

  let pods: [Pod]

  var refused: Int { pods.flatMap(\.steps).count { $0.refusal != nil } }

  func lines(for terminal: Terminal) -> [String] {
    Array(pods.map { lines(of: $0, for: terminal) }.joined(separator: [""]))
  }

  private func lines(of pod: Pod, for terminal: Terminal) -> [String] {
    var lines = wrapped("pod \(pod.namespace)/\(pod.name), \(pod.qosClass)", .heading, 0, terminal)
    for step in pod.steps {
      lines += wrapped(step.hookPoint + (step.container.map { " of \($0)" } ?? ""), .plain, 2, terminal)
      if step.plugins.isEmpty { lines += wrapped("no plugin is asked", .faint, 4, terminal) }
      let table = Table(
        ["", "", "", "", ""],
        rows: step.changes.map {
          [
            Table.Cell($0.plugin), Table.Cell($0.field), Table.Cell($0.before ?? "-", .bad), "->",
            Table.Cell($0.after, .good),
          ]
        })
      let room = terminal.width.map { $0 - 4 }
      if room ?? .max >= Terminal.leastWidth {
        lines += table.lines(for: Terminal(width: room, hasColour: terminal.hasColour)).map { $0.indented(by: 4) }
      } else {
        lines += table.lines(for: terminal)
      }
      let silent = step.plugins.filter { plugin in
        step.refusal == nil && step.notes.isEmpty && !step.changes.contains { $0.plugin == plugin }
      }
      for plugin in silent { lines += wrapped("\(plugin)  changes nothing", .faint, 4, terminal) }
      for note in step.notes { lines += wrapped(note, .warning, 4, terminal) }
      if let refusal = step.refusal { lines += wrapped("refused: \(refusal)", .bad, 4, terminal) }
    }
    if pod.unknownEnvs > 0 {
      lines += wrapped(
        "\(pod.unknownEnvs) environment entries come from elsewhere (valueFrom, envFrom); plugins were not shown them",
        .faint, 2, terminal)
    }
    return lines
  }

  private func wrapped(_ text: String, _ style: TextStyle, _ indent: Int, _ terminal: Terminal) -> [String] {
    LogStream.escaped(text[...]).wrapped(to: terminal.width.map { $0 - indent } ?? .max, indent: 2)
      .map { terminal.styled($0, style).indented(by: indent) }
  }
}
