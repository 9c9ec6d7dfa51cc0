/// Where a setting's value comes from.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
  case flag
  case environment(variable: String)
  /// The line counts from 1.
  case file(path: String, line: Int)
  case `default`

  var description: String {
    switch self {
    case .flag: "flag"
    case .environment(let variable): "environment \(variable)"
    case .file(let path, let line): "\(path):\(line)"
    case .default: "default"
    }
  }
}
