internal import ArgumentParser

/// Where the configuration file is.
struct ConfigurationOption: ParsableArguments {
  /// Read if it is there.
  static let defaultPath = "/etc/runtime-manager/config.yaml"
  static let variable = "RUNTIME_MANAGER_CONFIG"

  @Option(
    help: ArgumentHelp(
      "A YAML file of settings; it must be there if it is named. (default: \(Self.defaultPath))", valueName: "file"))
  var config: String?
}
