/// The settings in force, for printing.
struct SettingsDocument: Encodable {
  struct Entry: Encodable {
    let name: String
    let variable: String
    /// `nil`: none.
    let value: String?
    /// `flag`, `environment`, `file` or `default`.
    let source: String
    let file: String?
    let line: Int?
    /// For people.
    fileprivate let origin: SettingOrigin

    private enum CodingKeys: CodingKey {
      case name, variable, value, source, file, line
    }

    fileprivate init(_ name: SettingName, value: String?, origin: SettingOrigin) {
      self.name = name.key
      variable = name.variable
      self.value = value
      self.origin = origin
      (source, file, line) =
        switch origin {
        case .flag: ("flag", nil, nil)
        case .environment: ("environment", nil, nil)
        case .file(let path, let line): ("file", path, line)
        case .default: ("default", nil, nil)
        }
    }
  }

  /// The configuration file that was read.
  let file: String?
  let settings: [Entry]
  /// Variables that look like a setting's and are none.
  let unknownVariables: [String]

  /// - Parameter variables: the names of all variables of the environment.
  init(_ sources: SettingsSources, variables: some Sequence<String>) {
    file = sources.file
    unknownVariables = SettingName.unknown(among: variables).map(\.variable)
    settings = zip(Settings.names, zip(sources.settings.values, sources.origins)).map {
      Entry($0, value: $1.0, origin: $1.1)
    }
  }

  func lines(for terminal: Terminal) -> [String] {
    let unknown = unknownVariables.flatMap { variable in
      LogStream.escaped("\(variable): there is no such setting").wrapped(to: terminal.width ?? .max, indent: 2)
        .map { terminal.styled($0, .warning) }
    }
    return table.lines(for: terminal) + unknown
  }

  private var table: Table {
    Table(
      ["SETTING", "VALUE", "FROM"],
      rows: settings.map { entry in
        let isDefault = entry.origin == .default
        return [
          Table.Cell(entry.name), entry.value.map { Table.Cell($0) } ?? Table.Cell("none", .faint),
          Table.Cell(entry.origin.description, isDefault ? .faint : .plain),
        ]
      })
  }
}
