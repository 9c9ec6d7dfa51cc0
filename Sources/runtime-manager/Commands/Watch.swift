internal import Admin
internal import ArgumentParser
internal import Glibc

/// What a running daemon does, as it does it.
struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow the running daemon: calls a second, plugins, refusals.",
    discussion: """
      On a terminal a view that is drawn anew each second, until Ctrl-C; else a line for each hooked call, or with \
      --output json its account.
      """)

  @OptionGroup var admin: AdminOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let isLive = output.output == .table && isatty(STDOUT_FILENO) == 1
    try await admin.ask { client in
      if isLive { try await LiveView(client).run() } else { try await follow(client) }
    }
  }

  private func follow(_ client: AdminClient) async throws {
    try await client.events { event in
      switch event {
      case .call(let call):
        switch output.output {
        case .table: write(call.line)
        case .json: write(try JSONText.line(of: call))
        }
      case .missed(let count):
        throw CommandFailure(
          message: "the output was taken too slowly: \(Words.count(count, "call")) were not shown", code: .findings)
      }
    }
    throw client.ended
  }

  /// Ends with whoever reads it.
  private func write(_ line: String) {
    if !StandardOutput.write(line + "\n") { Glibc.exit(EXIT_SUCCESS) }
  }
}
