import Testing

@testable import runtime_manager

@Suite struct TableTests {
  private static let table = Table(
    ["NAME", "ENDPOINT", "STATE"],
    rows: [
      ["batch", "/run/batch.sock", Table.Cell("good", .good)], ["gpu", "/run/gpu.sock", Table.Cell("tripped", .bad)],
    ])

  @Test func columnsAreAsWideAsTheirContent() {
    #expect(
      Self.table.lines(for: Terminal()) == [
        "NAME   ENDPOINT         STATE", "batch  /run/batch.sock  good", "gpu    /run/gpu.sock    tripped",
      ])
  }

  @Test func theWidestColumnGivesWayWhereThereIsNoRoom() {
    #expect(
      Self.table.lines(for: Terminal(width: 27)) == [
        "NAME   ENDPOINT     STATE", "batch  /run/batch.  good", "       sock", "gpu    /run/gpu.so  tripped",
        "       ck",
      ])
  }

  @Test func withoutRoomForColumnsEachRowIsABlock() {
    #expect(
      Self.table.lines(for: Terminal(width: 20)) == [
        "NAME: batch", "ENDPOINT:", "  /run/batch.sock", "STATE: good", "", "NAME: gpu", "ENDPOINT:", "  /run/gpu.sock",
        "STATE: tripped",
      ])
  }

  @Test(arguments: 1...60)
  func noLineIsTooWideOrEndsInASpace(width: Int) {
    var table = Self.table
    table.rows.append(["  ", "a path /with/words and 漢字漢字漢字漢字漢字漢字漢字 in it", ""])
    for line in table.lines(for: Terminal(width: width)) {
      #expect(line.columns <= max(width, 20), "\(line)")
      #expect(line.last != " ", "\(line)")
    }
  }

  @Test func coloursAreAddedOnlyWhereTheyAreWanted() {
    let lines = Self.table.lines(for: Terminal(hasColour: true))
    #expect(lines[1] == "batch  /run/batch.sock  \u{1B}[32mgood\u{1B}[0m")
  }

  @Test func whatOthersWroteCannotDriveTheTerminal() {
    let table = Table(["A"], rows: [[Table.Cell("x\u{1B}[2Jy\n")]])
    #expect(table.lines(for: Terminal()) == ["A", #"x\u{1B}[2Jy\n"#])
  }

  @Test func aTableWithoutHeadingsHasNoLineOfThem() {
    #expect(Table(["", ""], rows: [["ok", "fine"]]).lines(for: Terminal()) == ["ok  fine"])
    #expect(Table(["", ""], rows: [["a b c d e f g h i j", "k"]]).lines(for: Terminal(width: 20)).count >= 1)
  }

  @Test(arguments: [
    ("one two three", 9, ["one two", "three"]), ("onetwothree", 4, ["onet", "woth", "ree"]), ("", 4, [""]),
    ("a verylongword", 8, ["a verylo", "ngword"]), ("ab  cd", 3, ["ab", "cd"]),
  ])
  func textIsBrokenAtSpacesWhereThatIsGood(text: String, width: Int, lines: [String]) {
    #expect(text.wrapped(to: width) == lines)
  }

  @Test func theWidthComesFromTheEnvironmentAndOddOnesAreIgnored() {
    #expect(Terminal.ofStandardOutput { $0 == "COLUMNS" ? "44" : nil }.width == 44)
    #expect(Terminal.ofStandardOutput { $0 == "COLUMNS" ? "3" : nil }.width == 20)
    let odd = Terminal.ofStandardOutput { $0 == "COLUMNS" ? "-1" : nil }.width
    #expect(odd == Terminal.ofStandardOutput { _ in nil }.width)
  }
}
