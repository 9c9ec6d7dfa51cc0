internal import GRPC
package import HTTP2
package import Logging
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
  private let records: Store
  private let subjects: SubjectLookup
  /// The dispatcher's: it is given deadlines that are set here.
  let clock: SteadyClock
  private let logger: Logger
  private var collectedBytes = 0
  private var reports: [() -> Void] = []

  package init(
    group: ConnectionGroup, runtimeEndpoint: RuntimeEndpoint, imageEndpoint: RuntimeEndpoint,
    plugins: PluginsManager, dispatcher: RuntimeDispatcher, store: Store, lookup: SubjectLookup, logger: Logger
  ) {
    self.group = group
    self.runtimeEndpoint = runtimeEndpoint
    self.imageEndpoint = imageEndpoint
    self.plugins = plugins
    self.dispatcher = dispatcher
    records = store
    subjects = lookup
    clock = dispatcher.clock
    self.logger = logger
  }

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

  /// What is remembered; all that has been reported is in it.
  var store: Store {
    catchUp()
    return records
  }

  /// Finds out whom a call is about, with all that has been reported.
  var lookup: SubjectLookup {
    catchUp()
    return subjects
  }

  /// A relayed life-cycle call, of which the Store is to know.
  func observation(of verb: Verb) -> Observation {
    Observation { request, answer, outcome in
      self.report(bytes: request.readableBytes) {
        verb.call.settle(request.readableBytesView, Array(answer.readableBytesView), outcome, to: self)
      }
    }
  }

  /// Takes what the Store is to be told of a call that has ended. It is told, in the order of the reports, before
  /// anybody asks it, and in the next quiet moment otherwise: decoding what is to be remembered takes longer than
  /// relaying it, and no call need wait for that.
  ///
  /// - Parameter bytes: What the report holds.
  func report(bytes: Int, _ report: @escaping () -> Void) {
    reports.append(report)
    if reports.count == 1 {
      group.eventLoop.assumeIsolated().scheduleTask(in: ServerLimits.reportDelay) { self.catchUp() }
    }
    // Behind the flush of the answer.
    if reports.count == ServerLimits.reports || bytes > ServerLimits.reportBytes {
      group.eventLoop.assumeIsolated().execute { self.catchUp() }
    }
  }

  private func catchUp() {
    guard !reports.isEmpty else { return }
    let due = reports
    reports = []
    for report in due { report() }
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
