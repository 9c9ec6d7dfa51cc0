internal import Admin
internal import ArgumentParser

/// The pods that a running daemon knows.
struct Pods: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what the running daemon knows of the pod sandboxes.",
    discussion: "What the table has no room for (labels, annotations, resources) is in --output json.")

  @OptionGroup var admin: AdminOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let document: PodsDocument = try await admin.ask { try await $0.get("v1", "pods") }
    try output.print(document, for: document.lines)
  }
}
