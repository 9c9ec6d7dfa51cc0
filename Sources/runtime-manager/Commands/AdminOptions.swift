internal import Admin
internal import ArgumentParser

/// How a command reaches the running daemon; the same for all that do.
struct AdminOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The daemon's admin socket. (default: the one that serve is set up with, see config)", valueName: "socket"),
    transform: SocketPath.parse)
  var admin: SocketPath?

  /// Asks the daemon.
  ///
  /// - Throws: `CommandFailure` that says what is in the way, and `CancellationError`.
  func ask<Answer: Sendable>(_ question: (AdminClient) async throws -> Answer) async throws -> Answer {
    guard let path = try admin?.path ?? SettingsSources().settings.admin.path else {
      throw CommandFailure(message: "the daemon is set up without an admin socket (--admin none)", code: .unavailable)
    }
    do {
      return try await question(AdminClient(socket: path))
    } catch let error as AdminClientError {
      throw CommandFailure(error)
    }
  }
}

extension CommandFailure {
  init(_ error: AdminClientError) {
    switch error {
    case .notRunning(let socket, let reason):
      self.init(
        message: "no runtime-manager answers at \(socket): \(reason); see systemctl status runtime-manager",
        code: .unavailable)
    case .notPermitted(let socket, let reason):
      self.init(message: "not permitted at \(socket): \(reason)", code: .notPermitted)
    case .refused(_, let message, let matches):
      // As many as there is a use for.
      let shown = matches.prefix(8).joined(separator: ", ") + (matches.count > 8 ? ", ..." : "")
      self.init(message: matches.isEmpty ? message : "\(message): \(shown)", code: .findings)
    case .broken(let socket, let reason):
      self.init(message: "the daemon at \(socket) gave no answer: \(reason)", code: .unavailable)
    }
  }
}
