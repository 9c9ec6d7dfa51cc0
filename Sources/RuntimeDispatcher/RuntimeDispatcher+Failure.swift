internal import Accounts
internal import GRPC
internal import Logging
package import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// Plugins have failed for a cause outside of them: nobody knows the subject, or the runtime refused our own
  /// UpdateContainerResources that carried their changes.
  /// - Throws: `Refusal` if one of them is under Fail.
  package func failure(
    of plugins: [Plugin], _ cause: HookFailure.Cause, at point: HookPoint, call: HookedCall
  ) throws(Refusal) {
    let ordered = Registry(plugins: plugins).plugins
    try settle(ordered.map { ($0, HookFailure($0.name, point, cause)) }, call: call)
  }

  /// Logs and counts each failure.
  /// - Parameter failures: in byte order of the plugins' names.
  /// - Throws: `Refusal` if one of the plugins is under Fail; it has the code of the first of these and names
  ///   all of them.
  func settle(_ failures: [(Plugin, HookFailure)], call: HookedCall) throws(Refusal) {
    var refusing: [HookFailure] = []
    for (plugin, failure) in failures {
      if call.isUnderFail(plugin) {
        refusing.append(failure)
        call.noteFailure(failure, of: plugin, .refused)
        counted.withLock { $0.failuresRefused += 1 }
        logger.error("hook server \(failure.reason)", metadata: call.metadata.adding("verdict", "refused"))
      } else {
        call.noteFailure(failure, of: plugin, .ignored)
        counted.withLock { $0.failuresIgnored += 1 }
        logger.warning("hook server \(failure.reason)", metadata: call.metadata.adding("verdict", "ignored"))
      }
    }
    guard let first = refusing.first else { return }
    var status = first.status
    for failure in refusing.dropFirst() { status.message += "; \(failure.reason)" }
    throw Refusal(status: status)
  }
}

extension HookedCall {
  /// What every log line about the call carries.
  var metadata: Logger.Metadata { pod.map { ["pod": "\($0)"] } ?? [:] }
}

extension Logger.Metadata {
  /// The same with one more entry.
  func adding(_ key: String, _ value: String) -> Logger.Metadata { merging([key: "\(value)"]) { $1 } }
}
