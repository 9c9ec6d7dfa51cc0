internal import Accounts
internal import Admin
public import ArgumentParser
internal import CRIServer
internal import HTTP2
public import Logging
internal import NIOCore
internal import NIOPosix
internal import PluginsManager
internal import RuntimeDispatcher
internal import ServiceLifecycle
internal import Store
internal import UnixSignals

/// The daemon. `run` reads as its boot log.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve CRI on a unix socket, relay it to the runtime, and ask the registered plugins.",
    discussion: """
      Exit codes: 0 after SIGTERM or SIGINT, 64 for wrong arguments, 69 if the socket is served or locked by \
      another process.
      """)

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
  var hookDir = "/etc/runtime/hookserver.d"

  @Option(
    help: ArgumentHelp(
      "Pods with this label are never hooked. (default: \(Self.defaultSkipLabel))", valueName: "key=value"),
    transform: SkipLabel.parse)
  var skipLabel = Self.defaultSkipLabel

  @Option(help: ArgumentHelp("Namespaces in which Fail acts as Ignore, with commas between.", valueName: "names"))
  var neverFailNamespaces = "kube-system"

  @Option(
    help: ArgumentHelp(
      "The socket of the admin side; none for none. (default: \(Self.defaultAdmin))", valueName: "socket"),
    transform: AdminSocket.parse)
  var admin = Self.defaultAdmin

  @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
  var logLevel = Logger.Level.info

  func validate() throws {
    guard hookDir.hasPrefix("/") else { throw ValidationError("--hook-dir: \(hookDir) is not an absolute path") }
    if let odd = namespaces.first(where: { !$0.utf8.allSatisfy(Self.isInNamespaces) }) {
      throw ValidationError("--never-fail-namespaces: \(odd.debugDescription) is not the name of a namespace")
    }
    for endpoint in [runtimeEndpoint, imageEndpoint] where endpoint?.path == listen.path {
      throw ValidationError("--listen and the runtime's endpoint are the same socket: \(listen.path)")
    }
  }

  private var namespaces: [String] { neverFailNamespaces.split(separator: ",").map(String.init) }

  /// Lower-case letters, digits and dashes (Kubernetes, "DNS label names").
  private static func isInNamespaces(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
  }

  func run() async throws {
    StartPages.giveBack()
    let logLevel = LogLevel(self.logLevel)
    LoggingSystem.bootstrap(
      logLevel.followed { StreamLogHandler(label: $0, stream: LogStream(), metadataProvider: nil) })
    let logger = Logger(label: "runtime-manager")

    // From here on SIGTERM is a wish to end in order, also while starting.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)

    // Own the socket first: kubelet may dial before the runtime is there.
    let socket: ListeningSocket
    do throws(ListenError) {
      socket = try ListeningSocket.bind(listen.path)
    } catch {
      throw StartFailure(message: "--listen: \(error)", code: StartFailure.unavailable)
    }
    if let weakness = socket.weakness { logger.warning("--listen: \(weakness)") }

    // One event loop for all CRI traffic and all plugins.
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let connections = ConnectionGroup(eventLoop: eventLoop)
    let runtime = RuntimeEndpoint(path: runtimeEndpoint.path, group: connections, logger: logger)
    let images = imageEndpoint.flatMap { endpoint in
      endpoint.path == runtime.path ? nil : RuntimeEndpoint(path: endpoint.path, group: connections, logger: logger)
    }

    // The directory is read completely before the first call is served.
    let plugins = PluginsManager(directory: hookDir, eventLoop: eventLoop, logger: logger)
    await plugins.load()
    let transport = GRPCHookTransport(group: connections)
    let dispatcher = RuntimeDispatcher(
      transport: transport,
      rules: HookRules(
        skipLabel: (skipLabel.key, skipLabel.value),
        neverFailNamespaces: Set(namespaces)),
      clock: SystemHookClock(), logger: logger, executor: connections.executor,
      registrationNow: { plugins.registry.plugin(named: $0.name) })

    let accounts = AccountBook()
    let store = Store { dispatcher.forget(objectID: $0.objectID) }
    let queries = RuntimeClient(runtime)
    let clock = dispatcher.clock
    let rebuild = RebuildService(
      StoreRebuild(store: store, runtime: queries, logger: logger, clock: clock), logger: logger)
    let server = CallServer(
      group: connections, runtimeEndpoint: runtime, imageEndpoint: images ?? runtime, plugins: plugins,
      dispatcher: dispatcher, store: store,
      lookup: SubjectLookup(store: store, runtime: queries, logger: logger, clock: clock), logger: logger,
      accounts: accounts)
    let readiness = Readiness()
    readiness.socketIsServed()
    let cri = CRIServer(socket: socket, server: server, logger: logger) {
      StartPages.giveBack()
      rebuild.runtimeIsUp()
      readiness.runtimeHasAnswered()
    }
    let admin = AdminEndpoint(
      path: admin.path,
      routes: .daemon(
        AdminSources(
          plugins: plugins, dispatcher: dispatcher, store: store, accounts: accounts,
          notReady: { readiness.missing }, calls: eventLoop,
          setLogLevel: { logLevel.current = $0 }, logger: logger)),
      logger: logger)

    // Shut down in the reverse order: kubelet's calls first.
    let services: [any Service] = [admin, rebuild, runtime] + (images.map { [$0] } ?? []) + [plugins, dispatcher, cri]
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, logger: Logger(label: "runtime-manager.lifecycle")))
    StartPages.giveBack()
    try await withTaskExecutorPreference(connections.executor) {
      try await withThrowingTaskGroup { tasks in
        tasks.addTask {
          for await _ in signals { await group.triggerGracefulShutdown() }
        }
        // On the event loop's executor, as all that inherits the preference.
        tasks.addTask {
          for await snapshot in plugins.snapshots() {
            transport.hangUp(exceptOn: snapshot.registry)
            accounts.forgetPlugins(except: Set(snapshot.registry.plugins.map(\.name)))
          }
        }
        try await group.run()
        tasks.cancelAll()
      }
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
