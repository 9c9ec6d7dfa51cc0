internal import Admin
internal import ArgumentParser
internal import Logging

/// Changes what a running daemon logs.
struct SetLogLevel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log-level",
    abstract: "Set the level of the running daemon's log, until it ends.")

  @Argument(help: "trace, debug, info, notice, warning, error or critical.")
  var level: Logger.Level

  @OptionGroup var admin: AdminOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let level = level
    let document: LogLevelDocument = try await admin.ask { try await $0.put(level.rawValue, at: "v1", "log-level") }
    try output.print(document) { _ in ["the daemon logs from \(document.level) on"] }
  }
}
