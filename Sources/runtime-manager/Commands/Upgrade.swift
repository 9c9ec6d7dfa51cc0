internal import ArgumentParser
internal import Glibc
internal import Handover

/// Has another program take over from the daemon that runs, without a gap.
struct Upgrade: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let this program take over from the daemon that runs: no call fails, no connection is refused.",
    discussion: """
      The daemon starts this program with its own arguments and environment and gives it the socket and all that it \
      remembers. The old process finishes its calls, however long they take. If the new one cannot take over, the old \
      one serves on.

      Exit codes: 0 taken over, 1 not taken over, 64 for wrong arguments, 69 if no daemon is there, 75 if three old \
      processes still finish their calls, 77 if this user may not.
      """)

  @Option(
    help: ArgumentHelp(
      "The socket that kubelet dials. Without it: the one that the daemon is set up with (see config).",
      valueName: "socket"),
    transform: SocketPath.parse)
  var listen: SocketPath?

  @Option(help: ArgumentHelp("What takes over. (default: this program)", valueName: "path"))
  var program: String?

  @Option(help: ArgumentHelp("How long it may take to do so, in seconds.", valueName: "seconds"))
  var timeout = 30

  @OptionGroup var output: OutputOptions

  private struct Document: Encodable {
    let newProcess: Int32
    let oldProcess: Int32
    /// That the old process finishes.
    let callsInFlight: Int
  }

  func validate() throws {
    guard (1...3600).contains(timeout) else { throw ValidationError("--timeout: must be 1 to 3600 seconds") }
    guard program?.hasPrefix("/") ?? true else {
      throw ValidationError("--program: \(program ?? "") is not an absolute path")
    }
  }

  func run() throws {
    guard let program = program ?? Self.thisProgram() else {
      throw CommandFailure(message: "where this program lies cannot be found out: use --program", code: .failure)
    }
    let outcome: UpgradeCall.Outcome
    let path = ControlSocket.path(for: try listen?.path ?? SettingsSources().settings.listen.path)
    do throws(UpgradeCall.Failure) {
      outcome = try UpgradeCall.make(at: path, program: program, timeout: .seconds(timeout))
    } catch {
      throw Self.failure(error, path)
    }
    switch outcome {
    case .done(let new, let old, let calls):
      let document = Document(newProcess: new, oldProcess: old, callsInFlight: calls)
      try output.print(document) { _ in
        ["process \(new) serves; process \(old) finishes \(calls) call\(calls == 1 ? "" : "s")"]
      }
    case .failed(let why): throw CommandFailure(message: "not upgraded: \(why)", code: .failure)
    case .tooManyOld(let why): throw CommandFailure(message: "not upgraded: \(why)", code: .tryAgain)
    }
  }

  private static func failure(_ failure: UpgradeCall.Failure, _ path: String) -> CommandFailure {
    switch failure {
    case .unreachable(let errno):
      CommandFailure(
        message: "no daemon answers at \(path): \(String(cString: strerror(errno)))", code: .unavailable)
    case .notPermitted: CommandFailure(message: "\(path): only root and the daemon's user may", code: .notPermitted)
    case .lost: CommandFailure(message: "the daemon hung up: its log says why", code: .unavailable)
    }
  }

  private static func thisProgram() -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }
}
