internal import Accounts
package import HookMessages
internal import PluginsManager

extension RuntimeDispatcher {
  private typealias Answer = Result<[Change], HookFailure.Cause>

  /// Tells the plugins at PostStartContainer, all at once with the same state, and merges their answers in
  /// order of their names when the last one has answered or failed.
  ///
  /// The plugins are asked in the dispatcher's own tasks: cancelling the caller's ends nothing, since the
  /// container runs already.
  /// - Parameters:
  ///   - request: the container; on return it has the changes.
  ///   - call: the same as at PreStartContainer, so that fields changed there keep their owners.
  ///   - deadline: plugins that have not answered by then have failed: 1 s before kubelet's own deadline.
  /// - Returns: the changes to bring to the runtime.
  /// - Throws: `Refusal` if plugins under Fail have failed; the container must be stopped.
  package func postStart(
    _ request: inout ContainerResourceHookRequest, call: inout HookedCall, deadline: ContinuousClock.Instant?
  ) async throws(Refusal) -> [OwnedChange] {
    if call.isSkipped {
      call.noteNotAsked(call.registry.plugins(at: .postStartContainer), at: .postStartContainer, .skipLabel)
    }
    let plugins = call.plugins(at: .postStartContainer)
    guard !plugins.isEmpty else { return [] }
    for plugin in plugins { call.noteAsked(plugin, at: .postStartContainer, clock.now) }
    let answers = await answers(of: plugins, about: request, by: deadline, for: call)
    var made: [OwnedChange] = []
    var failures: [(Plugin, HookFailure)] = []
    for (plugin, answer) in zip(plugins, answers) {
      do {
        made += try take(answer.get(), of: plugin, at: .postStartContainer, into: &request, call: &call)
      } catch {
        failures.append((plugin, HookFailure(plugin.name, .postStartContainer, error)))
      }
    }
    try settle(failures, call: call)
    return made
  }

  private func answers(
    of plugins: [Plugin], about request: ContainerResourceHookRequest, by deadline: ContinuousClock.Instant?,
    for call: HookedCall
  ) async -> [Answer] {
    let answers = Gathering<Answer>(count: plugins.count)
    let isStarted = jobs.start {
      await withDiscardingTaskGroup { group in
        for (index, plugin) in plugins.enumerated() {
          group.addTask {
            answers.deliver(await self.answer(of: plugin, about: request, by: deadline, for: call), at: index)
          }
        }
      }
    }
    if !isStarted { answers.close() }
    return await answers.values().map { $0 ?? .failure(.ending) }
  }

  private func answer(
    of plugin: Plugin, about request: ContainerResourceHookRequest, by deadline: ContinuousClock.Instant?,
    for call: HookedCall
  ) async -> Answer {
    do {
      return .success(
        try await changes(wantedBy: plugin, at: .postStartContainer, of: request, by: deadline, for: call))
    } catch {
      // Only the dispatcher's own end cancels a Post hook.
      return .failure(error == .cancelled ? .ending : error)
    }
  }
}
