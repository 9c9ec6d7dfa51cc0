internal import Admin
internal import ArgumentParser

/// The containers that a running daemon knows.
struct Containers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what the running daemon knows of the containers.",
    discussion: "Of the environment only names are told. What the table has no room for is in --output json.")

  @OptionGroup var admin: AdminOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let document: ContainersDocument = try await admin.ask { try await $0.get("v1", "containers") }
    try output.print(document, for: document.lines)
  }
}
