/// What somebody may have meant.
package enum Spelling {
  /// The word that is nearest to a text, if it is near: at most a third of its letters differ, letters swapped with
  /// their neighbour counting once, case not at all.
  package static func nearest(to text: String, of words: [String]) -> String? {
    // A text of any length is not worth the comparison.
    guard text.utf8.count <= 64 else { return nil }
    let distances = words.map { (word: $0, distance: distance(text.lowercased(), $0.lowercased())) }
    guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return nearest.distance * 3 <= max(nearest.word.utf8.count, 3) ? nearest.word : nil
  }

  /// Optimal string alignment: a Damerau-Levenshtein distance in which nothing is edited twice.
  private static func distance(_ first: String, _ second: String) -> Int {
    let first = Array(first.utf8)
    let second = Array(second.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for row in first.indices {
      var current = [row + 1]
      for column in second.indices {
        var least = min(
          last[column] + (first[row] == second[column] ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
          least = min(least, beforeLast[column - 1] + 1)
        }
        current.append(least)
      }
      beforeLast = last
      last = current
    }
    return last[second.count]
  }
}
