internal import Admin
internal import ArgumentParser

/// How the plugins of a running daemon do.
struct Plugins: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show each plugin of the running daemon, or reset one.",
    subcommands: [Show.self, Reset.self], defaultSubcommand: Show.self)

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "State, calls, failures and latency of each registration file's plugin. The default.")

    @OptionGroup var admin: AdminOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let document: PluginsDocument = try await admin.ask { try await $0.get("v1", "plugins") }
      try output.print(document, for: document.lines)
    }
  }

  struct Reset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have a plugin asked again that is not asked because its calls ran into their deadlines.")

    @Argument(help: "The plugin's name: that of its registration file, without .json.")
    var name: String

    @OptionGroup var admin: AdminOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let name = name
      let document: ResetDocument = try await admin.ask { try await $0.post("v1", "plugins", name, "reset") }
      try output.print(document) { _ in
        ["plugin \(document.plugin): " + (document.wasTripped ? "is asked again" : "was asked all along")]
      }
    }
  }
}
