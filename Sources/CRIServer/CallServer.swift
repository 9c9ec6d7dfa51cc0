package import Accounts
internal import GRPC
package import HTTP2
package import Logging
package import Meters
internal import NIOCore
package import PluginsManager
package import RuntimeDispatcher
package import Store

/// What all calls share: the ways to the runtime, the plugins, the Store.
// Unchecked, because what is mutable is confined to the group's event loop.
package final class CallServer: @unchecked Sendable {
  let group: ConnectionGroup
  let runtimeEndpoint: RuntimeEndpoint
  /// The same as `runtimeEndpoint`, unless images live elsewhere.
  let imageEndpoint: RuntimeEndpoint
  let plugins: PluginsManager
  let dispatcher: RuntimeDispatcher
  let store: Store
  let lookup: SubjectLookup
  let accounts: AccountBook
  package let meters: CallMeters
  /// The dispatcher's: it is given deadlines that are set here.
  let clock: SteadyClock
  private let logger: Logger
  private var collectedBytes = 0
  /// The process that has taken over, if one has.
  package var successor: (any CallSuccessor)?

  package init(
    group: ConnectionGroup, runtimeEndpoint: RuntimeEndpoint, imageEndpoint: RuntimeEndpoint,
    plugins: PluginsManager, dispatcher: RuntimeDispatcher, store: Store, lookup: SubjectLookup, logger: Logger,
    accounts: AccountBook = AccountBook()
  ) {
    self.group = group
    self.runtimeEndpoint = runtimeEndpoint
    self.imageEndpoint = imageEndpoint
    self.plugins = plugins
    self.dispatcher = dispatcher
    self.store = store
    self.lookup = lookup
    self.accounts = accounts
    meters = CallMeters(methods: Route.methods, codes: StatusCode.allCases.map(\.description))
    clock = dispatcher.clock
    self.logger = logger
  }

  /// Where a call goes.
  func endpoint(of route: Route) -> RuntimeEndpoint { route.isImageService ? imageEndpoint : runtimeEndpoint }

  /// A plugin may have to be asked about this call, or a pod's recorded changes applied to it: its request is
  /// then read whole.
  func wantsHooks(_ verb: Verb) -> Bool {
    let registry = plugins.registry
    if verb == .createContainer, store.hasRecordedChanges || !registry.plugins(at: .preRunPodSandbox).isEmpty {
      return true
    }
    return verb.hookPoints.contains { !registry.plugins(at: $0).isEmpty }
  }

  // MARK: The Store

  /// A relayed life-cycle call, of which the Store is to know.
  func observation(of verb: Verb) -> Observation {
    Observation { request, answer, outcome in
      self.report(bytes: request.readableBytes) { store in
        verb.call.settle(request.readableBytesView, Array(answer.readableBytesView), outcome, to: store)
      }
    }
  }

  /// Tells the Store of a call that has ended, in the next quiet moment or when it is asked.
  ///
  /// - Parameters:
  ///   - bytes: What the report holds.
  ///   - mayRecordChanges: It may be of a pod that plugins have changed.
  func report(bytes: Int, mayRecordChanges: Bool = false, _ report: @escaping @Sendable (Store) -> Void) {
    let waiting = store.later(mayRecordChanges: mayRecordChanges, report)
    if let successor { return successor.tell() }
    if waiting == 1 {
      group.eventLoop.assumeIsolated().scheduleTask(in: ServerLimits.reportDelay) { self.store.catchUp() }
    }
    // Behind the flush of the answer.
    if waiting == ServerLimits.reports || bytes > ServerLimits.reportBytes {
      group.eventLoop.assumeIsolated().execute { self.store.catchUp() }
    }
  }

  // MARK: What calls hold

  /// Counts what hooked calls hold of their requests; negative when it is let go.
  ///
  /// - Returns: False if it is too much; it is then not counted.
  func collect(_ bytes: Int) -> Bool {
    guard collectedBytes + bytes <= ServerLimits.collectedBytes else { return false }
    collectedBytes += bytes
    return true
  }

  /// A call at which plugins were to be asked is over. Called on any thread, some time later.
  func ended(_ account: Account) {
    logger.debug(
      "\(account.verb) ended with \(account.kubeletCode ?? "a reset") after \(account.duration.wholeMilliseconds) ms",
      metadata: [
        "pod": "\(account.pod?.description ?? "unknown")", "container": "\(account.containerID ?? "none")",
        "plugins": .array(account.hookCalls.map { "\($0.plugin) \($0.hookPoint) \($0.verdict.outcome.rawValue)" }),
      ])
  }

  /// A container is created in a pod of which only kubelet's part is known.
  func createsWithoutPod(_ why: String) {
    logger.warning("what plugins changed in a pod is not applied to its new container", metadata: ["error": "\(why)"])
  }

  /// PostStartContainer failed under Fail, and then the container could not be stopped.
  func couldNotStop(_ containerID: String, _ status: Status) {
    logger.error(
      "a container that PostStartContainer refused could not be stopped",
      metadata: ["container": "\(containerID)", "error": "\(status.code): \(status.message)"])
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
