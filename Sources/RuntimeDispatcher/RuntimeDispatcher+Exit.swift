internal import Accounts
internal import Logging
internal import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// How many ids a log line about calls that were still owed names.
  private static let namedObjectsLimit = 20

  /// A call that came when the dispatcher had ended: if it would have been owed, it counts as such.
  func lose<R: HookRequest>(_ delivery: StopDelivery<R>) {
    end(delivery, .abandoned)
    waiting.withLock { $0.ended(1) }.forEach { $0.resume() }
    let isUnderFail = delivery.plugin.failurePolicy == .fail
    delivery.note(
      HookFailure.Cause.ending.failure(isUnderFail ? .dropped : .ignored), attempt: 1, at: clock.now)
    counted.withLock { counters in
      counters.failuresIgnored += 1
      counters.owedAtExit += isUnderFail ? 1 : 0
    }
    logger.log(
      level: isUnderFail ? .error : .warning,
      "hook server \(HookFailure(delivery.plugin.name, delivery.claim.hookPoint, .ending).reason)",
      metadata: ["object": "\(delivery.claim.objectID)", "verdict": isUnderFail ? "lost" : "ignored"])
  }

  /// One line for each plugin and hook point that is still owed calls.
  func reportOwedAtExit() {
    let owed = ledger.withLock { $0.owed() }
    counted.withLock { $0.owedAtExit += owed.count }
    let groups = Dictionary(grouping: owed) { "\($0.plugin): \($0.hookPoint.rawValue)" }
    for (name, claims) in groups.sorted(by: { $0.key < $1.key }) {
      let objects = claims.prefix(Self.namedObjectsLimit).map(\.objectID).sorted().joined(separator: " ")
      logger.error(
        "hook server \(name): \(claims.count) calls are still owed at exit",
        metadata: ["objects": "\(objects)", "verdict": "lost"])
    }
  }
}
