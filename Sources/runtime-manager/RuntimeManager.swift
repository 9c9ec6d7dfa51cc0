internal import ArgumentParser
internal import Glibc
internal import Handover

/// The command line. Anything wrong with it is one line on stderr and exit code 64 (EX_USAGE of
/// sysexits.h), before anything is bound.
@main
struct RuntimeManager: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runtime-manager",
    abstract: "The CRI endpoint between kubelet and the container runtime, with hook plugins.",
    version: "runtime-manager \(version)",
    subcommands: [
      Serve.self, Config.self, Check.self, Doctor.self, Simulate.self, Plugins.self, Pods.self, Containers.self,
      Why.self, Watch.self, SetLogLevel.self, Upgrade.self,
    ])

  /// Not `async`: such a main ends in dispatch_main(3), which unwinds the main thread and so brings the unwind tables,
  /// nearly 1 MB, into memory. This one sleeps instead.
  static func main() {
    if let inheritance = Inheritance.ofEnvironment(), inheritance.isFirstStage { Program.startAgain(inheritance) }
    Heap.shareAmongThreads()
    Task.detached {
      do {
        var command = try parseAsRoot()
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
        Glibc.exit(EXIT_SUCCESS)
      } catch {
        leave(with: error)
      }
    }
    while true { pause() }
  }

  private static func leave(with error: any Error) -> Never {
    if let failure = error as? CommandFailure {
      write("runtime-manager: \(failure.message)\n", to: STDERR_FILENO)
      Glibc.exit(failure.code.rawValue)
    }
    // A command that has said what it had to say.
    if let code = error as? ExitCode { Glibc.exit(code.rawValue) }
    let code = exitCode(for: error)
    // Help asked for is what was wanted; everything else is one line.
    if code == .success { exit(withError: error) }
    let lines = message(for: error).split(separator: "\n")
    let choices = lines.dropFirst().map { $0.drop { " -".contains($0) } }.joined(separator: ", ")
    let message = ([lines.first ?? ""] + (choices.isEmpty ? [] : [choices[...]])).joined(separator: " ")
    write("runtime-manager: \(message) (see runtime-manager --help)\n", to: STDERR_FILENO)
    Glibc.exit(code.rawValue)
  }

  private static func write(_ text: String, to descriptor: CInt) {
    var text = text
    text.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }
}
