internal import ArgumentParser
internal import Glibc
internal import PluginsManager

/// Registration files as the daemon would read them, without one: for whoever writes them, and for their CI.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate registration files without a daemon.",
    discussion: """
      Reads as the daemon reads: who may write the files counts, too. Exit codes: 0 if every file would be in force, \
      1 if one would not (or, with --dial, its plugin does not answer as it should), 66 if there is no such file.
      """)

  @Argument(
    help: ArgumentHelp(
      "Directories and files. Without one: the directory that the daemon is set up with (see config).",
      valueName: "path"))
  var paths: [String] = []

  @Flag(help: "Dial each plugin too: is it there, may its owner own it, does it speak gRPC?")
  var dial = false

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let paths = self.paths.isEmpty ? [try SettingsSources().settings.hookDir.path] : self.paths
    let files = try paths.flatMap(Self.files)
    var dialled: [Plugin: PluginDial.Outcome] = [:]
    if dial { dialled = await PluginDial.all(files.compactMap(\.plugin)) }
    let document = CheckDocument(files, dialled: dialled)
    try output.print(document) { document.lines(for: $0) }
    if document.errors > 0 { throw ExitCode.findings }
  }

  private static func files(at path: String) throws(CommandFailure) -> [CheckedFile] {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CommandFailure(message: "\(path): \(String(cString: strerror(errno)))", code: .noInput)
    }
    let found =
      status.st_mode & S_IFMT == S_IFDIR
      ? RegistrationCheck.directory(path, daemonUID: geteuid())
      : RegistrationCheck.file(path, daemonUID: geteuid()).map { [$0] }
    guard let found else { throw CommandFailure(message: "\(path): is gone", code: .noInput) }
    return found
  }
}
