internal import ArgumentParser
internal import PluginsManager

/// A setting as its sources know it.
struct SettingName: Sendable, Hashable {
  /// Of the configuration file: `hook-dir`.
  let key: String
  /// It is there or not; it has no value.
  let isSwitch: Bool
  /// In the configuration file it may also be a list.
  let isList: Bool

  var flag: String { "--\(key)" }

  /// Of the environment: `RUNTIME_MANAGER_HOOK_DIR`.
  var variable: String { Self.variablePrefix + key.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() }

  static let variablePrefix = "RUNTIME_MANAGER_"

  /// The variables among `variables` that look like a setting's and are none, and what may be meant by each: nobody
  /// else would tell a misspelled one.
  static func unknown(among variables: some Sequence<String>) -> [(variable: String, meant: String?)] {
    let known = Settings.names.map(\.variable) + [ConfigurationOption.variable, flagsVariable]
    return variables.filter { $0.hasPrefix(variablePrefix) && !known.contains($0) }.sorted()
      .map { ($0, Spelling.nearest(to: $0, of: known)) }
  }

  /// The unit's, in which it keeps the command line.
  static let flagsVariable = "RUNTIME_MANAGER_FLAGS"

  /// The arguments that say it, for the command line's own parser.
  func arguments(for value: String) -> [String] {
    guard isSwitch else { return ["\(flag)=\(value)"] }
    return value == "true" ? [flag] : []
  }
}

extension Settings {
  /// Every setting in the order of the rows, by the rules with which ArgumentParser names a property's flag.
  static let names: [SettingName] = Mirror(reflecting: Settings()).children.compactMap { label, value in
    guard let label, let row = value as? any SettingRow else { return nil }
    return SettingName(key: key(of: label), isSwitch: row.isSwitch, isList: row.isList)
  }

  /// Each setting's value as text, in the order of the rows; `nil` for none.
  ///
  /// The settings must have been parsed.
  var values: [String?] {
    Mirror(reflecting: self).children.compactMap { ($0.value as? any SettingRow)?.text }
  }

  /// `_hookDir` is `hook-dir`.
  private static func key(of label: String) -> String {
    label.drop { $0 == "_" }.reduce(into: "") { key, character in
      if character.isUppercase { key += "-" }
      key += character.lowercased()
    }
  }
}

/// A value whose text has commas between its parts.
protocol CommaSeparated {}

/// What ArgumentParser's property wrappers have in common here.
private protocol SettingRow {
  var isSwitch: Bool { get }
  var isList: Bool { get }
  var text: String? { get }
}

extension Option: SettingRow {
  fileprivate var isSwitch: Bool { false }
  fileprivate var isList: Bool { Value.self is any CommaSeparated.Type }
  fileprivate var text: String? {
    if let optional = wrappedValue as? any OptionalValue { optional.text } else { "\(wrappedValue)" }
  }
}

extension Flag: SettingRow {
  fileprivate var isSwitch: Bool { true }
  fileprivate var isList: Bool { false }
  fileprivate var text: String? { "\(wrappedValue)" }
}

private protocol OptionalValue {
  var text: String? { get }
}

extension Optional: OptionalValue {
  fileprivate var text: String? { map { "\($0)" } }
}
