internal import ArgumentParser
internal import GRPC
internal import HTTP2
internal import NIOCore
internal import NIOPosix

/// Is this node set up as README.md says, end to end?
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at kubelet, the runtime, sockets, permissions and plugins of this node; say what to do.",
    discussion: """
      Reads files, asks the runtime and RuntimeManager for their version, and dials the plugins; changes nothing. Where \
      kubeadm keeps kubelet's endpoint in the cluster, kubectl is asked for it with kubelet's credentials, if both are \
      here. To be run as root. The daemon's settings are those of its files \
      (/etc/default/runtime-manager, the configuration file); the flags of serve may be given too. Exit codes: 0, \
      1 if something fails.
      """)

  @Option(help: ArgumentHelp("Look at the node whose file system is mounted there.", valueName: "directory"))
  var root = "/"

  @OptionGroup var output: OutputOptions
  @OptionGroup(visibility: .hidden) var configuration: ConfigurationOption
  @OptionGroup(visibility: .hidden) var settings: Settings

  private static let defaults = "/etc/default/runtime-manager"

  func validate() throws {
    guard root.hasPrefix("/") else { throw ValidationError("--root: must be an absolute path") }
  }

  func run() async throws {
    let node = Node(root: root)
    var findings: [DoctorFinding] = []
    let settings = daemonSettings(node, &findings)
    let group = ConnectionGroup(eventLoop: MultiThreadedEventLoopGroup(numberOfThreads: 1).next())

    findings += await KubeletCheck(node: node, socket: settings.listen.path).findings()
    let sockets = SocketCheck(
      node: node, listen: settings.listen.path, runtime: settings.runtimeEndpoint.path,
      admin: settings.admin.path
    ) {
      path in
      await withTaskExecutorPreference(group.executor) { () async -> Result<RuntimeVersion, Status> in
        do throws(Status) {
          return .success(try await RuntimeVersion.of(node.path(path), group))
        } catch {
          return .failure(error)
        }
      }
    }
    findings += await sockets.findings()
    findings += await PluginCheck(node: node, hookDir: settings.hookDir.path, dial: PluginDial.all).findings()
    findings += CrictlCheck(node: node, socket: settings.listen.path).findings()

    let document = DoctorDocument(findings)
    try output.print(document) { document.lines(for: $0) }
    if document.fails > 0 { throw ExitCode.findings }
  }

  /// As the unit starts it, as far as its files tell, and then as our own command line says.
  private func daemonSettings(_ node: Node, _ findings: inout [DoctorFinding]) -> Settings {
    var variables = EnvironmentFile([])
    if case .bytes(let content) = node.content(Self.defaults) { variables = EnvironmentFile(content) }
    for (variable, meant) in SettingName.unknown(among: variables.variables.keys) {
      findings.append(
        DoctorFinding(
          .warn, "settings", "\(Self.defaults): \(variable): there is no such setting",
          advice: meant.map { "did you mean \($0)?" } ?? "see runtime-manager config"))
    }
    let file = configuration.config ?? variables.variables[ConfigurationOption.variable]
    do {
      let sources = try SettingsSources(
        arguments: variables.words(of: SettingName.flagsVariable) + CommandLine.arguments.dropFirst(2),
        configuration: file.map(node.path), defaultFile: node.path(ConfigurationOption.defaultPath)
      ) { variables.variables[$0] }
      findings.append(
        DoctorFinding(
          .ok, "settings", sources.file.map { "\($0) is in order" } ?? "no configuration file, no wrong variable"))
      return sources.settings
    } catch {
      let problem = (error as? CommandFailure)?.message ?? Settings.message(for: error)
      findings.append(
        DoctorFinding(
          .fail, "settings", problem, advice: "mend it: the daemon does not start with it; below are the defaults"))
      return settings
    }
  }
}
