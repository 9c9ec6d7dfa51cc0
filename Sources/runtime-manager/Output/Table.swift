/// Rows under headings, laid out for a terminal of any width.
///
/// As wide as its content if there is room. If not, the widest columns give way and their cells go on in further
/// lines; where even that leaves columns too narrow to read, each row becomes a block of `HEADING: value` lines. No line
/// ends in a space and none is wider than the terminal.
struct Table {
  struct Cell: ExpressibleByStringInterpolation {
    var text: String
    var style: TextStyle

    /// What others wrote may be in it: what would drive the terminal is escaped.
    init(_ text: some StringProtocol, _ style: TextStyle = .plain) {
      self.text = LogStream.escaped(Substring(text))
      self.style = style
    }

    init(stringLiteral text: String) { self.init(text) }
  }

  /// Between two columns.
  private static let gap = 2
  /// A column that has to give way keeps as many columns of the terminal, or what it needs if that is less.
  private static let leastColumn = 8

  /// All empty: the table has no line of headings.
  var headings: [String]
  /// Each as long as the headings.
  var rows: [[Cell]] = []

  init(_ headings: [String], rows: [[Cell]] = []) {
    self.headings = headings
    self.rows = rows
  }

  func lines(for terminal: Terminal) -> [String] {
    guard let widths = widths(within: terminal.width) else { return blocks(for: terminal) }
    let head = headings.contains { !$0.isEmpty } ? [headings.map { Cell($0, .heading) }] : []
    return (head + rows).flatMap { line(of: $0, widths: widths, terminal: terminal) }
  }

  /// `nil` if there is no room for columns.
  private func widths(within width: Int?) -> [Int]? {
    var widths = headings.indices.map { column in
      rows.reduce(headings[column].columns) { max($0, $1[column].text.columns) }
    }
    guard let width else { return widths }
    let room = width - Self.gap * (widths.count - 1)
    let least = zip(headings, widths).map { max($0.columns, min($1, Self.leastColumn)) }
    guard least.reduce(0, +) <= room else { return nil }
    while widths.reduce(0, +) > room {
      let widest = widths.indices.filter { widths[$0] > least[$0] }.max { widths[$0] < widths[$1] }
      guard let widest else { return nil }
      widths[widest] -= 1
    }
    return widths
  }

  private func line(of row: [Cell], widths: [Int], terminal: Terminal) -> [String] {
    let cells = zip(row, widths).map { $0.text.wrapped(to: max($1, 1)) }
    return (0..<(cells.map(\.count).max() ?? 0)).map { index in
      var line = ""
      // Behind the last piece of text there is nothing, colours included.
      let last = cells.lastIndex { index < $0.count && !$0[index].isEmpty } ?? 0
      for column in 0...last {
        let text = index < cells[column].count ? cells[column][index] : ""
        line += terminal.styled(text, row[column].style)
        if column < last { line += String(repeating: " ", count: widths[column] - text.columns + Self.gap) }
      }
      return line
    }
  }

  private func blocks(for terminal: Terminal) -> [String] {
    let width = terminal.width ?? Terminal.leastWidth
    var lines: [String] = []
    for row in rows {
      if !lines.isEmpty, headings.contains(where: { !$0.isEmpty }) { lines.append("") }
      for (heading, cell) in zip(headings, row) where !cell.text.isEmpty {
        let text = heading.isEmpty ? cell.text : "\(heading): \(cell.text)"
        lines += text.wrapped(to: width, indent: 2).map { terminal.styled($0, cell.style) }
      }
    }
    return lines
  }
}
