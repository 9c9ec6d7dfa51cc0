public import ArgumentParser
public import Logging

/// All that `serve` can be told, a row each.
///
/// A row is at once a flag (`hookDir`: `--hook-dir`), a key of the configuration file (`hook-dir`), a variable of the
/// environment (`RUNTIME_MANAGER_HOOK_DIR`), a line of the help and a line of `runtime-manager config`: all of them are
/// read off the properties here (``names``), so that a new setting is a new property and nothing else. Of two sources
/// the first counts: command line, environment, file, default (``SettingsSources``).
///
/// What a value must be is checked where it is parsed; what several must be together in ``checkTogether()``.
struct Settings: ParsableArguments {
  private static let defaultListen = SocketPath("/run/runtime-manager/runtime-manager.sock")
  private static let defaultRuntime = SocketPath("/run/containerd/containerd.sock")
  private static let defaultAdmin = AdminSocket(path: "/run/runtime-manager/admin.sock")
  private static let defaultSkipLabel = SkipLabel(key: "runtimeproxy.koordinator.sh/skip-hookserver", value: "true")

  @Option(
    help: ArgumentHelp("The socket that kubelet dials. (default: \(Self.defaultListen))", valueName: "socket"),
    transform: SocketPath.parse)
  var listen = Self.defaultListen

  @Option(
    help: ArgumentHelp(
      "The runtime's socket: a path, or unix://path. (default: \(Self.defaultRuntime))", valueName: "socket"),
    transform: SocketPath.parse)
  var runtimeEndpoint = Self.defaultRuntime

  @Option(
    help: ArgumentHelp("Where ImageService goes, if it lives elsewhere.", valueName: "socket"),
    transform: SocketPath.parse)
  var imageEndpoint: SocketPath?

  @Option(help: ArgumentHelp("The directory of the plugins' registration files.", valueName: "directory"))
  var hookDir = DirectoryPath("/etc/runtime/hookserver.d")

  @Option(
    help: ArgumentHelp(
      "Pods with this label are never hooked. (default: \(Self.defaultSkipLabel))", valueName: "key=value"),
    transform: SkipLabel.parse)
  var skipLabel = Self.defaultSkipLabel

  @Option(help: ArgumentHelp("Namespaces in which Fail acts as Ignore, with commas between.", valueName: "names"))
  var neverFailNamespaces = NamespaceNames(["kube-system"])

  @Option(
    help: ArgumentHelp(
      "The socket of the admin side; none for none. (default: \(Self.defaultAdmin))", valueName: "socket"),
    transform: AdminSocket.parse)
  var admin = Self.defaultAdmin

  @Option(help: ArgumentHelp("A TCP port of 127.0.0.1 that serves /metrics and nothing else.", valueName: "port"))
  var metricsPort: TCPPort?

  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
  var logLevel = Logger.Level.info

  @Option(help: ArgumentHelp("text or json, one object a line.", valueName: "format"))
  var logFormat = LogFormat.text

  @Flag(help: "Let the kernel write core files and debuggers attach: both show the secrets that calls carry.")
  var allowCoreDumps = false

  /// - Throws: `ValidationError` where two settings cannot be had together.
  func checkTogether() throws {
    for endpoint in [runtimeEndpoint, imageEndpoint] where endpoint?.path == listen.path {
      throw ValidationError("--listen and the runtime's endpoint are the same socket: \(listen.path)")
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
