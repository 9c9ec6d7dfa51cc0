/// What `doctor` found, for printing.
struct DoctorDocument: Encodable {
  let findings: [DoctorFinding]
  let fails: Int
  let warnings: Int

  init(_ findings: [DoctorFinding]) {
    self.findings = findings
    fails = findings.count { $0.mark == .fail }
    warnings = findings.count { $0.mark == .warn }
  }

  func lines(for terminal: Terminal) -> [String] {
    var table = Table(["", "", ""])
    for finding in findings {
      table.rows.append([
        Table.Cell(finding.mark.rawValue, finding.mark.style), Table.Cell(finding.about), Table.Cell(finding.finding),
      ])
      if let advice = finding.advice { table.rows.append(["", "", Table.Cell("-> \(advice)", .faint)]) }
    }
    let marks = [DoctorFinding.Mark.ok, .warn, .fail].map { mark in
      "\(findings.count { $0.mark == mark }) \(mark.rawValue)"
    }
    return table.lines(for: terminal) + marks.joined(separator: ", ").wrapped(to: terminal.width ?? .max)
  }
}
