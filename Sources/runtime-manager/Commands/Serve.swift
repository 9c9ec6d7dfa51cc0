internal import Accounts
internal import Admin
internal import ArgumentParser
internal import CProcess
internal import CRIServer
internal import CoreMetrics
internal import HTTP2
internal import Handover
internal import Logging
internal import Meters
internal import NIOCore
internal import NIOPosix
internal import PluginsManager
internal import Prometheus
internal import RuntimeDispatcher
internal import ServiceLifecycle
internal import Store
internal import Systemd
internal import Traces
internal import UnixSignals

/// The daemon. `run` reads as its boot log.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve CRI on a unix socket, relay it to the runtime, and ask the registered plugins.",
    discussion: """
      Each flag but --config is also a key of the configuration file (hook-dir) and a variable of the environment \
      (RUNTIME_MANAGER_HOOK_DIR); flags win over variables, variables over the file. Exit codes: 0 after SIGTERM or \
      SIGINT, 64 for wrong arguments, 69 if the socket is served or locked by another process, 78 if the file or a \
      variable is wrong.
      """)

  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var settings: Settings

  func run() async throws {
    let settings = try SettingsSources(
      arguments: CommandLine.arguments.dropFirst(2), configuration: configuration.config
    ).settings
    StartPages.giveBack()
    // What calls carry is in this process's memory: no core file, and no debugger of another user.
    if !settings.allowCoreDumps { process_set_dumpable(0) }
    let logLevel = LogLevel(settings.logLevel)
    LoggingSystem.bootstrap(logLevel.followed(by: settings.logFormat.handler))
    let logger = Logger(label: "runtime-manager")

    // Before anybody makes a meter.
    let metrics = PrometheusExporter(MetricTable.families)
    MetricsSystem.bootstrap(metrics)

    // From here on SIGTERM is a wish to end in order, also while starting.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)

    // Own the socket first: kubelet may dial before the runtime is there.
    let inheritance = Inheritance.take()
    let socket = try ListeningSocket.own(settings.listen.path, inheritance)
    if let weakness = socket.weakness { logger.warning("--listen: \(weakness)") }

    // One event loop for all CRI traffic and all plugins.
    let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let connections = ConnectionGroup(eventLoop: eventLoop)
    let runtime = RuntimeEndpoint(path: settings.runtimeEndpoint.path, group: connections, logger: logger)
    let images = settings.imageEndpoint.flatMap { endpoint in
      endpoint.path == runtime.path ? nil : RuntimeEndpoint(path: endpoint.path, group: connections, logger: logger)
    }

    // The directory is read completely before the first call is served.
    let plugins = PluginsManager(directory: settings.hookDir.path, eventLoop: eventLoop, logger: logger)
    await plugins.load()
    StartPages.giveBack()
    let transport = GRPCHookTransport(group: connections)
    let dispatcher = RuntimeDispatcher(
      transport: transport,
      rules: HookRules(
        skipLabel: (settings.skipLabel.key, settings.skipLabel.value),
        neverFailNamespaces: Set(settings.neverFailNamespaces.names)),
      clock: SystemHookClock(), logger: logger, executor: connections.executor,
      registrationNow: { plugins.registry.plugin(named: $0.name) })

    let hookMeters = HookMeters()
    let spans = CallSpans()
    let accounts = AccountBook(whenFiled: { account in
      hookMeters.count(account)
      spans?.record(account)
    })
    let store = Store { dispatcher.forget(objectID: $0.objectID) }
    let queries = RuntimeClient(runtime)
    let clock = dispatcher.clock
    let rebuild = RebuildService(
      StoreRebuild(store: store, runtime: queries, logger: logger, clock: clock), logger: logger,
      whenDone: {
        // The first rebuild is the last step of the start.
        StartPages.startIsDone()
        Heap.giveBack()
      })
    let server = CallServer(
      group: connections, runtimeEndpoint: runtime, imageEndpoint: images ?? runtime, plugins: plugins,
      dispatcher: dispatcher, store: store,
      lookup: SubjectLookup(store: store, runtime: queries, logger: logger, clock: clock), logger: logger,
      accounts: accounts)
    let readiness = Readiness()
    readiness.socketIsServed()
    let state = StateMeters(version: version)
    let look = MetricsLook(server: server, dispatcher: dispatcher, store: store, plugins: plugins)
    metrics.beforeEachScrape { state.show(look.look()) }
    let report = ServiceReport(
      to: .ofEnvironment(), watchdog: Watchdog.intervalOfEnvironment(), runtimePath: settings.runtimeEndpoint.path,
      eventLoop: eventLoop, isSilent: inheritance != nil)
    let isTaking = NIOLoopBoundBox.makeBoxSendingValue(inheritance != nil, eventLoop: eventLoop)
    let cri = CRIServer(socket: socket, server: server, logger: logger, waitsForTakeOver: inheritance != nil) { event in
      if event == .serving || event == .runtimeIsUp { StartPages.giveBack() }
      if event == .runtimeIsUp {
        if !isTaking.value { rebuild.runtimeIsUp() }
        readiness.runtimeHasAnswered()
      }
      report.heard(event)
    }
    let adminEndpoint = AdminEndpoint(
      path: settings.admin.path, metricsPort: settings.metricsPort?.number,
      routes: .daemon(
        AdminSources(
          plugins: plugins, dispatcher: dispatcher, store: store, accounts: accounts, metrics: metrics,
          notReady: { readiness.missing }, calls: eventLoop,
          setLogLevel: { logLevel.current = $0 }, logger: logger)),
      logger: logger)
    if inheritance == nil { adminEndpoint.open() }
    let succession = Succession(
      .init(cri: cri, calls: server, dispatcher: dispatcher, store: store),
      control: try .own(beside: settings.listen.path, inheritance, eventLoop: eventLoop), inheritance: inheritance,
      programVersion: version, eventLoop: eventLoop, logger: logger,
      willGive: { await adminEndpoint.letGo() }
    ) { news in
      switch news {
      case .handedOver: report.leave()
      case .wentOn: adminEndpoint.open()
      case .tookOver, .tookBack:
        isTaking.value = false
        adminEndpoint.open()
        report.takeOver()
        rebuild.runtimeIsUp()
      }
    }

    // Shut down in the reverse order: kubelet's calls first.
    let services: [any Service] =
      [succession.farewell, adminEndpoint, rebuild, runtime] + (images.map { [$0] } ?? [])
      + [plugins, dispatcher, cri, succession, report]
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, logger: Logger(label: "runtime-manager.lifecycle")))
    StartPages.giveBack()
    try await withTaskExecutorPreference(connections.executor) {
      try await withThrowingTaskGroup { tasks in
        tasks.addTask {
          for await _ in signals { await group.triggerGracefulShutdown() }
        }
        tasks.addTask {
          await succession.untilOver()
          await group.triggerGracefulShutdown()
        }
        // On the event loop's executor, as all that inherits the preference.
        tasks.addTask {
          for await snapshot in plugins.snapshots() {
            transport.hangUp(exceptOn: snapshot.registry)
            let registered = Set(snapshot.registry.plugins.map(\.name))
            accounts.forgetPlugins(except: registered)
            hookMeters.forgetPlugins(except: registered)
            report.counted(plugins: registered.count)
          }
        }
        defer { tasks.cancelAll() }
        do {
          try await group.run()
        } catch let error as HandoverCalledOff {
          throw CommandFailure(message: "called off: \(error.reason)", code: .failure)
        }
      }
    }
  }
}
