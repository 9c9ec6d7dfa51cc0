/// How text takes up room on a terminal.
extension String {
  /// Columns, as terminals with a fixed width show it.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// In lines of at most `width` columns: broken at spaces where that fills a third of a line, else anywhere.
  ///
  /// - Parameter indent: room in front of each line but the first, within `width`.
  func wrapped(to limit: Int, indent: Int = 0) -> [String] {
    var lines: [String] = []
    var width: Int { lines.isEmpty ? limit : limit - indent }
    var line = ""
    var columns = 0
    for character in self {
      if columns + character.columns > width, !line.isEmpty {
        if character != " ", let space = line.lastIndex(of: " "), String(line[..<space]).columns * 3 >= width {
          lines.append(String(line[..<space]))
          line.removeSubrange(...space)
        } else {
          lines.append(line)
          line = ""
        }
        columns = line.columns
        if line.isEmpty, character == " " { continue }
      }
      line.append(character)
      columns += character.columns
    }
    lines.append(line)
    return lines.enumerated().map { $1.withoutTrailingSpaces.indented(by: $0 == 0 ? 0 : indent) }
  }

  var withoutTrailingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }

  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - columns)) }

  /// Room in front of it.
  func indented(by columns: Int) -> String { isEmpty ? self : String(repeating: " ", count: columns) + self }
}

extension Character {
  /// 2 for what East Asian fonts show wide and for emoji (Unicode Standard Annex 11, its large blocks), else 1.
  fileprivate var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    return switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }
}
