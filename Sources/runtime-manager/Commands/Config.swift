internal import ArgumentParser
internal import FoundationEssentials

/// What the daemon would run with, and why.
struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the settings in force and where each comes from.",
    discussion: """
      Of two sources the first counts: command line, environment, configuration file, default. Takes the flags of \
      serve and reads the same sources.
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var settings: Settings

  func run() throws {
    let sources = try SettingsSources(
      arguments: CommandLine.arguments.dropFirst(2), configuration: configuration.config)
    let document = SettingsDocument(sources, variables: ProcessInfo.processInfo.environment.keys)
    try output.print(document) { document.lines(for: $0) }
  }
}
