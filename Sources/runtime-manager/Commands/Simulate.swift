internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import HTTP2
internal import NIOCore
internal import NIOPosix
internal import PluginsManager
internal import RuntimeDispatcher
internal import YAML

/// What plugins would make of a pod, before there is one.
struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ask the registered plugins about a pod manifest and print what they would change.",
    discussion: """
      Makes the CRI requests that kubelet would make, asks the plugins before the pod sandbox is run and before each \
      container is created and started, and applies their answers as the daemon does. No runtime is asked; plugins \
      take part as they are. Values of the environment are not shown. Exit codes: 0, 1 if a plugin under Fail refuses \
      a call or a registration file is broken, 66 if there is no such file or no pod in it.
      """)

  @Argument(
    help: ArgumentHelp("A manifest of core/v1 pods, YAML or JSON, several documents if need be.", valueName: "manifest")
  )
  var manifest: String

  @Option(
    help: ArgumentHelp(
      "The plugins' registration files. Without it: those of the daemon (see config).", valueName: "directory"))
  var hookDir: DirectoryPath?

  @Option(help: ArgumentHelp("How kubelet names cgroups: systemd or cgroupfs.", valueName: "driver"))
  var cgroupDriver = CgroupDriver.systemd

  @Option(
    help: ArgumentHelp(
      "The node's memory, for oom_score_adj. Without it: this machine's.", valueName: "quantity"),
    transform: Self.memory)
  var nodeMemory: Int64?

  @OptionGroup var output: OutputOptions

  private static func memory(_ text: String) throws -> Int64 {
    guard let quantity = Quantity(text), quantity > .zero else {
      throw ValidationError("must be an amount such as 16Gi")
    }
    return quantity.whole
  }

  func run() async throws {
    let settings = try SettingsSources().settings
    let pods = try pods()
    let directory = hookDir?.path ?? settings.hookDir.path
    guard let files = RegistrationCheck.directory(directory, daemonUID: geteuid()) else {
      throw CommandFailure(message: "\(directory): there is no such directory", code: .noInput)
    }
    for file in files {
      guard let error = file.findings.first(where: { $0.severity == .error }) else { continue }
      throw CommandFailure(
        message:
          "\(file.path)\(error.line.map { ":\($0)" } ?? ""): \(error.text) (runtime-manager check shows all of it)",
        code: .findings)
    }

    let group = ConnectionGroup(eventLoop: MultiThreadedEventLoopGroup(numberOfThreads: 1).next())
    let notes = SimulationNotes()
    let dispatcher = RuntimeDispatcher(
      transport: GRPCHookTransport(group: group),
      rules: HookRules(
        skipLabel: (settings.skipLabel.key, settings.skipLabel.value),
        neverFailNamespaces: Set(settings.neverFailNamespaces.names)),
      clock: SystemHookClock(), logger: notes.logger)
    let simulation = Simulation(
      dispatcher: dispatcher, registry: Registry(plugins: files.compactMap(\.plugin)), notes: notes)
    let nodeMemoryBytes = nodeMemory ?? Int64(sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)))
    let document = await withTaskExecutorPreference(group.executor) {
      var simulated: [SimulationDocument.Pod] = []
      for pod in pods {
        let steps = await simulation.run(
          KubeletRequests(pod: pod, cgroupDriver: cgroupDriver, nodeMemoryBytes: nodeMemoryBytes))
        simulated.append(
          SimulationDocument.Pod(
            namespace: pod.namespace, name: pod.name, qosClass: pod.qosClass.rawValue,
            steps: steps.map(SimulationDocument.Step.init),
            unknownEnvs: (pod.initContainers + pod.containers).reduce(0) { $0 + $1.unknownEnvs }))
      }
      return SimulationDocument(pods: simulated)
    }
    try output.print(document) { document.lines(for: $0) }
    if document.refused > 0 { throw ExitCode.findings }
  }

  private func pods() throws(CommandFailure) -> [Pod] {
    let bytes: [UInt8]
    switch Node().content(manifest) {
    case .bytes(let found): bytes = found
    case .absent: throw CommandFailure(message: "\(manifest): there is no such file", code: .noInput)
    case .unreadable(let reason): throw CommandFailure(message: "\(manifest): \(reason)", code: .noInput)
    }
    let pods: [Pod]
    do {
      pods = try PodReader.pods(in: try YAMLDocuments.read(bytes))
    } catch let error as YAMLError {
      throw CommandFailure(message: "\(manifest):\(error.line): \(error.problem)", code: .noInput)
    } catch let error as PodReader.Wrong {
      throw CommandFailure(message: "\(manifest):\(error.line): \(error.problem)", code: .noInput)
    } catch {
      throw CommandFailure(message: "\(manifest): \(error)", code: .noInput)
    }
    guard !pods.isEmpty else { throw CommandFailure(message: "\(manifest): has no pod (kind: Pod)", code: .noInput) }
    return pods
  }
}
