import CRIServer
import GRPC
import PluginsManager

extension Reference {
  func runPodSandbox(_ call: Call) async throws(End) -> StatusCode {
    var pod = call.request.fields
    var hooks = Hooks(call.registered, about: pod)
    let made = try await pre(.preRunPodSandbox, &pod, &hooks, by: call.preDeadline)
    var recorded: Fields = [:]
    for change in made { recorded[change.field] = change.value }
    return try await forward(call, pod, changes: recorded)
  }

  func createContainer(_ call: Call) async throws(End) -> StatusCode {
    var request = call.request.fields
    var pod: Kept?
    if case .known(let found) = await lookUpPod(request["sandbox"] ?? "", by: clock.now + lookupTime(call)) {
      pod = found
    }
    if let pod { request.merge(recordedChanges(of: pod, for: request, call)) { $1 } }

    var told = request
    told["sandbox"] = nil
    if let pod, pod.fields.hasResources {
      told = told.filter { !$0.key.hasPrefix("pod ") || !Fields.isResource(String($0.key.dropFirst("pod ".count))) }
      told.merge(pod.fields.resources.prefixed("pod ")) { $1 }
    }
    var hooks = Hooks(call.registered, about: told)
    for change in try await pre(.preCreateContainer, &told, &hooks, by: call.preDeadline) {
      request[change.field] = change.value
    }
    return try await forward(call, request)
  }

  /// kubelet builds the pod's part anew, without what plugins changed when the pod was run: that is applied again. Of
  /// a pod that was read back it is what the runtime has and kubelet has not.
  private func recordedChanges(of pod: Kept, for request: Fields, _ call: Call) -> Fields {
    var changes = pod.changes ?? [:]
    if pod.changes == nil {
      guard !Hooks(call.registered, about: request).plugins(at: .preRunPodSandbox).isEmpty else { return [:] }
      changes = pod.fields.filter { name, value in
        let kind = name.split(separator: " ")[0]
        let key = name.split(separator: " ").last.map(String.init) ?? ""
        if kind == "cgroup" { return request["cgroup"] != value }
        guard kind == "label" || kind == "annotation", request["pod \(name)"] == nil else { return false }
        return ![Fields.skipKey, Fields.sourceKey].contains(key) && !key.hasPrefix("io.kubernetes.pod.")
          && !key.hasPrefix("io.kubernetes.container.")
      }
    }
    let cgroup = changes.removeValue(forKey: "cgroup")
    var applied = changes.prefixed("pod ")
    if let cgroup { applied["cgroup"] = cgroup }
    return applied
  }

  func updateContainerResources(_ call: Call) async throws(End) -> StatusCode {
    var request = call.request.fields
    guard var told = try await subject(of: call, at: [.preUpdateContainerResources]) else {
      return try await forward(call, request)
    }
    told.merge(request) { $1 }
    var hooks = Hooks(call.registered, about: told)
    for change in try await pre(.preUpdateContainerResources, &told, &hooks, by: call.preDeadline) {
      request[change.field] = change.value
    }
    return try await forward(call, request)
  }

  func startContainer(_ call: Call) async throws(End) -> StatusCode {
    let id = call.request.fields["id"] ?? ""
    guard var told = try await subject(of: call, at: [.preStartContainer, .postStartContainer]) else {
      return try await forward(call, call.request.fields)
    }
    var hooks = Hooks(call.registered, about: told)
    let before = told.resources
    let made = try await pre(.preStartContainer, &told, &hooks, by: call.preDeadline)
    if try await !bring(made, to: id, at: .preStartContainer, call, hooks) {
      told = told.filter { !Fields.isResource($0.key) }.overlaid(by: before)
    }
    let code = try await forward(call, call.request.fields)
    guard code == .ok else { return code }
    records.update(id, with: annotations(of: made))
    do throws(End) {
      let later = try await postStart(&told, &hooks, by: call.answerBy)
      _ = try await bring(later, to: id, at: .postStartContainer, call, hooks)
      records.update(id, with: annotations(of: later))
    } catch {
      await stopAgain(id, call)
      throw error
    }
    return code
  }

  private func annotations(of changes: [Change]) -> Fields {
    var fields: Fields = [:]
    for change in changes where change.field.hasPrefix("annotation ") { fields[change.field] = change.value }
    return fields
  }

  /// One UpdateContainerResources of our own, with the changed resources. Its failure is the failure of those who asked
  /// for them.
  /// - Returns: they are in force.
  private func bring(
    _ made: [Change], to id: String, at point: HookPoint, _ call: Call, _ hooks: Hooks
  ) async throws(End) -> Bool {
    var fields = ["id": id]
    for change in made where Fields.isResource(change.field) { fields[change.field] = change.value }
    guard fields.count > 1 else { return true }
    var code: StatusCode
    do throws(End) {
      code = try await ask(.updateContainerResources, fields, by: call.deadline, repeats: true).0
      settle(.updateContainerResources, fields, code, made: "", changes: [:])
    } catch {
      settle(.updateContainerResources, fields, nil, made: "", changes: [:])
      code =
        switch error.verdict {
        case .runtime(let code), .ours(let code), .refused(let code, _): code
        case .reset: .unavailable
        }
    }
    guard code != .ok else { return true }
    let asking = hooks.registered.filter { plugin in
      made.contains { Fields.isResource($0.field) && $0.plugin.name == plugin.name }
    }
    try settle(asking.map { ($0, Failure(code: code)) }, at: point, hooks)
    return false
  }

  /// The container runs and must not.
  private func stopAgain(_ id: String, _ call: Call) async {
    let deadline = clock.now + .seconds(30)
    let fields = ["id": id, "timeout": "2"]
    do throws(End) {
      let code = try await ask(.stopContainer, fields, by: deadline, repeats: true).0
      settle(.stopContainer, fields, code, made: "", changes: [:])
      guard code == .ok || code == .notFound else { return }
      await postStop(.postStopContainer, id, call.registered, answerBy: deadline) {
        await self.lookUp(id, isPod: false)
      }
    } catch {
      settle(.stopContainer, fields, nil, made: "", changes: [:])
    }
  }

  func stop(_ call: Call) async throws(End) -> StatusCode {
    let id = call.request.fields["id"] ?? ""
    let isPod = call.request.verb == .stopPodSandbox
    let record = records[id]
    let remembered = record.flatMap { record in
      isPod ? record.fields : records[record.podSandboxID].map { records.told(of: record, in: $0) }
    }
    let subject = Early(executor) { await self.lookUp(id, isPod: isPod) }
    let code: StatusCode
    do throws(End) {
      code = try await forward(call, call.request.fields)
    } catch {
      subject.cancel()
      throw error
    }
    guard code == .ok || (code == .notFound && record != nil) else {
      subject.cancel()
      return code
    }
    let point = isPod ? HookPoint.postStopPodSandbox : .postStopContainer
    await postStop(point, id, call.registered, answerBy: call.answerBy) {
      let found = await subject.next()
      if case .gone = found, let remembered { return .known(remembered) }
      return found
    }
    return code
  }

  // MARK: Whom it is about

  private func lookupTime(_ call: Call) -> Duration {
    min(Self.lookupTimeout, call.preDeadline.map { left(until: $0) } ?? Self.lookupTimeout)
  }

  /// nil if there is nothing to ask about. Unknown: every plugin has failed.
  private func subject(of call: Call, at points: [HookPoint]) async throws(End) -> Fields? {
    switch await lookUp(call.request.fields["id"] ?? "", isPod: false, within: lookupTime(call)) {
    case .known(let told): return told
    case .gone: return nil
    case .unknown:
      let hooks = Hooks(call.registered, about: nil)
      for point in points {
        try settle(hooks.plugins(at: point).map { ($0, Failure(code: .failedPrecondition)) }, at: point, hooks)
      }
      return nil
    }
  }
}
