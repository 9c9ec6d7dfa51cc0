extension String {
  /// Cut: for showing what somebody else wrote where control characters are escaped anyway.
  package var shown: String {
    let limit = 128
    return unicodeScalars.count > limit ? String(unicodeScalars.prefix(limit)) + "..." : self
  }

  /// In quotes, control characters escaped, and cut: for showing what somebody else wrote.
  package var quoted: String {
    let limit = 128
    let start = String(unicodeScalars.prefix(limit)).debugDescription
    return unicodeScalars.count > limit ? "\(start)..." : start
  }
}

extension [String] {
  /// The first few, quoted.
  var listed: String {
    let limit = 8
    let shown = prefix(limit).map(\.quoted).joined(separator: ", ")
    return count > limit ? "\(shown) and \(count - limit) more" : shown
  }
}
