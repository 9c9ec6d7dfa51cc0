internal import Logging
internal import PluginsManager
internal import Synchronization

extension RuntimeDispatcher {
  /// Makes the changes that `plugin` wants and may make.
  /// - Throws: under Fail, why the first one that it may not make may not be made; then none is made.
  func take<R: HookRequest>(
    _ changes: [Change], of plugin: Plugin, at point: HookPoint, into request: inout R, call: inout HookedCall
  ) throws(HookFailure.Cause) -> [OwnedChange] {
    let judgement = Judgement(of: changes, by: plugin, at: point, request: request, call: call, rules: rules)
    if let cause = judgement.rejected.first {
      if call.isUnderFail(plugin) {
        call.noteRejected(judgement, of: plugin, at: point)
        throw cause
      }
      logDropped(judgement.rejected, of: plugin, at: point, call: call)
    }
    call.note(judgement, of: plugin, at: point)
    guard !changes.isEmpty else { return [] }
    for change in judgement.accepted {
      noteCost(of: change, by: plugin, at: point, request: request, call: call)
      call.own(change.field, by: plugin)
    }
    request.apply(judgement.accepted)
    if !judgement.accepted.isEmpty {
      logger.debug(
        "hook server \(plugin.name): \(point.rawValue): changed \(judgement.accepted.fieldNames)",
        metadata: call.metadata)
    }
    return judgement.accepted.map { OwnedChange($0, by: plugin) }
  }

  /// An answer may have as many as fit into it: the log must not drown in them.
  private static let droppedChangesNamed = 8

  private func logDropped(
    _ causes: [HookFailure.Cause], of plugin: Plugin, at point: HookPoint, call: HookedCall
  ) {
    counted.withLock { $0.changesDropped += causes.count }
    let metadata = call.metadata.adding("verdict", "change dropped")
    for cause in causes.prefix(Self.droppedChangesNamed) {
      logger.warning("hook server \(HookFailure(plugin.name, point, cause).reason)", metadata: metadata)
    }
    guard causes.count > Self.droppedChangesNamed else { return }
    logger.warning(
      "hook server \(plugin.name): \(point.rawValue): \(causes.count - Self.droppedChangesNamed) more changes of this answer",
      metadata: metadata)
  }

  /// Some changes are allowed but cost the administrator something, or do less than the plugin may think.
  private func noteCost<R: HookRequest>(
    of change: Change, by plugin: Plugin, at point: HookPoint, request: R, call: HookedCall
  ) {
    let note: String
    switch (change.field, change.value) {
    case (.cgroupParent, .text(let wanted)):
      guard let sent = request.value(of: .cgroupParent)?.text,
        CgroupParent(sent).rootIsLeft(by: CgroupParent(wanted))
      else { return }
      counted.withLock { $0.kubeletRootLeft += 1 }
      note = "cgroup_parent leaves kubelet's cgroup root: eviction and kubectl top do not see it there"
    case (.resource(let field), .cleared):
      switch point {
      case .preStartContainer, .postStartContainer, .preUpdateContainerResources: break
      case .preRunPodSandbox, .preCreateContainer, .postStopPodSandbox, .postStopContainer: return
      }
      counted.withLock { $0.cpusetsClearedLate += 1 }
      note = "\(field.rawValue) cleared in the request; one that the runtime has already stays"
    case (.label, _), (.annotation, _), (.cgroupParent, _), (.resource, _), (.hugepageLimit, _), (.unified, _),
      (.env, _):
      return
    }
    logger.warning("hook server \(plugin.name): \(point.rawValue): \(note)", metadata: call.metadata)
  }
}

extension [Change] {
  /// For log lines; no values.
  fileprivate var fieldNames: String { map(\.field.description).joined(separator: ", ") }
}
