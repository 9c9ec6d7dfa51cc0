internal import Admin
internal import ArgumentParser

/// What plugins did to one container or pod.
struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what plugins did to a container or pod, and why.",
    discussion: """
      The last 20 hooked calls of an object are remembered, also when it is gone, as long as there is room. Exit code \
      1 if nothing is known of the object, or several ids begin so.
      """)

  @Argument(
    help: ArgumentHelp(
      "A container's or pod sandbox's id, the beginning of one, or a pod's namespace/name.",
      valueName: "container|pod"))
  var object: String

  @OptionGroup var admin: AdminOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if object.isEmpty { throw ValidationError("<container|pod>: is empty") }
  }

  func run() async throws {
    let object = object
    let document: WhyDocument = try await admin.ask { try await $0.get("v1", "why", object) }
    try output.print(document, for: document.lines)
  }
}
