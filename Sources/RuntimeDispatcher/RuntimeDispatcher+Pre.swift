internal import Accounts
package import PluginsManager

extension RuntimeDispatcher {
  /// Asks the plugins at a Pre hook point, one after the other by name; each sees what the earlier ones changed.
  ///
  /// Runs in the caller's task and makes none. Cancelling that task ends it.
  /// - Parameters:
  ///   - request: the subject; on return it has the changes.
  ///   - call: the CRI call; on return it knows to whom the changed fields belong.
  ///   - deadline: when all plugins of this point must be done: half of what is left of kubelet's deadline. Nil
  ///     if kubelet set none.
  /// - Returns: the changes to make to the CRI message, in order.
  /// - Throws: `Refusal` at the first failure under Fail, or with `cancelled` if kubelet left; the call must
  ///   not be forwarded then.
  package func pre<R: HookRequest>(
    _ point: HookPoint, _ request: inout R, call: inout HookedCall, deadline: ContinuousClock.Instant?
  ) async throws(Refusal) -> [OwnedChange] {
    var made: [OwnedChange] = []
    var plugins = call.plugins(at: point)[...]
    if call.isSkipped { call.noteNotAsked(call.registry.plugins(at: point), at: point, .skipLabel) }
    while let plugin = plugins.popFirst() {
      do {
        call.noteAsked(plugin, at: point, clock.now)
        let changes = try await changes(wantedBy: plugin, at: point, of: request, by: deadline, for: call)
        made += try take(changes, of: plugin, at: point, into: &request, call: &call)
      } catch let cause {
        do {
          try settle(cause, of: plugin, at: point, call: call)
        } catch let refusal {
          call.noteNotAsked(plugins, at: point, cause == .cancelled ? .callerGone : .refusedEarlier)
          throw refusal
        }
      }
    }
    return made
  }

  /// Asks one plugin and compares its answer with what it was sent.
  func changes<R: HookRequest>(
    wantedBy plugin: Plugin, at point: HookPoint, of request: R, by deadline: ContinuousClock.Instant?,
    for call: HookedCall
  ) async throws(HookFailure.Cause) -> [Change] {
    if Task.isCancelled { throw .cancelled }
    defer { call.noteAnswered(plugin, at: point, clock.now) }
    let answer = try await caller.call(
      plugin, at: point, request: request.bytes(), by: deadline, trace: call.company.trace)
    return try request.differences(toAnswer: answer)
  }

  private func settle(
    _ cause: HookFailure.Cause, of plugin: Plugin, at point: HookPoint, call: HookedCall
  ) throws(Refusal) {
    let failure = HookFailure(plugin.name, point, cause)
    // A call whose caller has left is not sent, whatever the plugin's policy.
    if cause == .cancelled {
      call.noteFailure(failure, of: plugin, .refused)
      throw Refusal(status: failure.status)
    }
    try settle([(plugin, failure)], call: call)
  }
}
