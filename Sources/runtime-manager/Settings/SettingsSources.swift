internal import ArgumentParser
internal import Glibc

/// The settings in force, and for each where it comes from.
///
/// What stands on the command line wins over the environment, that over the configuration file, that over the default.
/// Without a file nothing of YAML is touched.
struct SettingsSources {
  let settings: Settings
  /// In the order of ``Settings/names``.
  let origins: [SettingOrigin]
  /// The file that was read, if any.
  let file: String?

  /// - Parameters:
  ///   - arguments: the command line of a command with ``Settings`` among its options, already found to be in order.
  ///     None for a command that only wants to know how the daemon is set up.
  ///   - configuration: `--config`; without one the environment's, and then the default if it is there.
  ///   - defaultFile: read if it is there.
  /// - Throws: ``CommandFailure`` with what is wrong in file or environment, `ValidationError` for what does not go
  ///   together.
  init(
    arguments: some Sequence<String> = [String](), configuration: String? = nil,
    defaultFile: String = ConfigurationOption.defaultPath,
    environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }
  ) throws {
    let names = Settings.names
    let flags = Self.flags(in: arguments, names: names)
    let named = configuration ?? environment(ConfigurationOption.variable)
    let file = try ConfigurationFile.read(named ?? defaultFile, names: names)
    if let named, file == nil {
      throw CommandFailure(message: "\(named): there is no such file", code: .configuration)
    }

    var parsed: [String] = []
    var origins: [SettingOrigin] = []
    for name in names {
      let variable = environment(name.variable)
      if let variable, let problem = Settings.problem(with: variable, of: name) {
        throw CommandFailure(message: "\(name.variable): \(problem)", code: .configuration)
      }
      if let flag = flags[name.key] {
        parsed += flag
        origins.append(.flag)
      } else if let variable {
        parsed += name.arguments(for: variable)
        origins.append(.environment(variable: name.variable))
      } else if let file, let entry = file.entries[name.key] {
        parsed += name.arguments(for: entry.value)
        origins.append(.file(path: file.path, line: entry.line))
      } else {
        origins.append(.default)
      }
    }
    settings = try Settings.parse(parsed)
    try settings.checkTogether()
    self.origins = origins
    self.file = file?.path
  }

  /// What the command line says of each setting, as it says it.
  private static func flags(in arguments: some Sequence<String>, names: [SettingName]) -> [String: [String]] {
    var found: [String: [String]] = [:]
    var iterator = arguments.makeIterator()
    while let argument = iterator.next() {
      let flag = argument.prefix { $0 != "=" }
      guard let name = names.first(where: { $0.flag == flag }) else { continue }
      found[name.key] =
        name.isSwitch || flag.count < argument.count ? [argument] : [argument] + (iterator.next().map { [$0] } ?? [])
    }
    return found
  }
}

extension Settings {
  /// What is wrong with a value that is not from the command line; `nil` if nothing.
  static func problem(with value: String, of name: SettingName) -> String? {
    if name.isSwitch { return ["true", "false"].contains(value) ? nil : "true or false is meant" }
    do {
      _ = try parse(name.arguments(for: value))
      return nil
    } catch {
      // The parser's sentence names the flag, but it is not one here.
      let sentence = message(for: error).split(separator: "\n").joined(separator: " ")
      guard let flag = sentence.firstRange(of: " for '\(name.flag)") else { return sentence }
      return "\(sentence[..<flag.lowerBound])\(sentence[flag.upperBound...].drop { $0 != "'" }.dropFirst())"
    }
  }
}
