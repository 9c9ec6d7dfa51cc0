/// A file of `NAME=value` lines, as systemd's `EnvironmentFile=` and kubeadm write it (systemd.exec(5)).
struct EnvironmentFile {
  /// The last of a name counts.
  private(set) var variables: [String: String] = [:]

  /// - Parameter content: lines that are none of that are passed over.
  init(_ content: [UInt8]) {
    for line in String(decoding: content, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
      var value = parts[1].drop { $0 == " " }
      while value.last == " " { value.removeLast() }
      for quote in ["\"", "'"] where value.count >= 2 && value.hasPrefix(quote) && value.hasSuffix(quote) {
        value = value.dropFirst().dropLast()
      }
      variables[String(parts[0])] = String(value)
    }
  }

  /// The words of a variable that holds a command line, as systemd splits `$NAME` at spaces.
  func words(of name: String) -> [String] {
    variables[name]?.split(separator: " ").map(String.init) ?? []
  }
}
