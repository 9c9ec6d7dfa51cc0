import GRPC
import PluginsManager
import RuntimeDispatcher

extension Reference {
  /// A change that a plugin has made.
  struct Change: Sendable {
    var field: String
    /// nil: a cpuset was cleared.
    var value: String?
    var plugin: Registered
  }

  /// Why a plugin has failed.
  struct Failure: Error {
    var code: StatusCode
    var isCancelled = false
  }

  /// What all plugins of one call have to do with each other.
  struct Hooks: Sendable {
    let registered: [Registered]
    let isExempt: Bool
    /// Who changed what first.
    var owners: [String: String] = [:]

    init(_ registered: [Registered], about told: Fields?) {
      let told = told ?? [:]
      let isSkipped = Fields.isSkipped(told)
      self.registered = isSkipped ? [] : registered
      isExempt = Fields.isExempt(told)
    }

    func plugins(at point: HookPoint) -> [Registered] { registered.filter { $0.points.contains(point) } }
    func mayRefuse(_ plugin: Registered) -> Bool { plugin.policy == .fail && !isExempt }
  }

  /// Asks the plugins one after the other; each sees what the earlier ones changed.
  func pre(
    _ point: HookPoint, _ told: inout Fields, _ hooks: inout Hooks, by deadline: Instant?
  ) async throws(End) -> [Change] {
    var made: [Change] = []
    for plugin in hooks.plugins(at: point) {
      if Task.isCancelled { throw End(verdict: .refused(.cancelled, names: ["\(plugin.name) \(point.rawValue)"])) }
      do throws(Failure) {
        let answer = try await ask(plugin, point, told, by: deadline)
        made += try take(differences(from: told, to: answer), of: plugin, at: point, into: &told, &hooks)
      } catch {
        guard hooks.mayRefuse(plugin) || error.isCancelled else { continue }
        throw End(verdict: .refused(error.code, names: ["\(plugin.name) \(point.rawValue)"]))
      }
    }
    return made
  }

  /// Tells the plugins all at once; their answers are merged in the order of their names.
  func postStart(_ told: inout Fields, _ hooks: inout Hooks, by deadline: Instant?) async throws(End) -> [Change] {
    let plugins = hooks.plugins(at: .postStartContainer)
    let sent = told
    let answers = await withTaskGroup(of: (Int, Result<Fields, Failure>).self) { group in
      for (index, plugin) in plugins.enumerated() {
        group.addTask {
          do throws(Failure) {
            return (index, .success(try await self.ask(plugin, .postStartContainer, sent, by: deadline)))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      return await group.reduce(into: [Int: Result<Fields, Failure>]()) { $0[$1.0] = $1.1 }
    }
    var made: [Change] = []
    var failed: [(Registered, Failure)] = []
    for (index, plugin) in plugins.enumerated() {
      do throws(Failure) {
        guard let answer = answers[index] else { continue }
        let wanted = differences(from: sent, to: try answer.get())
        made += try take(wanted, of: plugin, at: .postStartContainer, into: &told, &hooks)
      } catch {
        failed.append((plugin, error))
      }
    }
    try settle(failed, at: .postStartContainer, hooks)
    return made
  }

  /// Several plugins have failed: those under Fail refuse the call, with the code of the first of them.
  func settle(_ failed: [(Registered, Failure)], at point: HookPoint, _ hooks: Hooks) throws(End) {
    let refusing = failed.filter { hooks.mayRefuse($0.0) }
    guard let first = refusing.first else { return }
    throw End(verdict: .refused(first.1.code, names: refusing.map { "\($0.0.name) \(point.rawValue)" }))
  }

  /// One call to one plugin.
  /// - Parameter readsAnswer: an answer that is not read may be anything.
  func ask(
    _ plugin: Registered, _ point: HookPoint, _ told: Fields, by deadline: Instant?, readsAnswer: Bool = true
  ) async throws(Failure) -> Fields {
    let left = deadline.map { self.left(until: $0) } ?? plugin.timeout
    guard left > .zero else { throw Failure(code: .deadlineExceeded) }
    let socket = outside.sockets[plugin.name] ?? 0
    let pass: ReferenceBreaker.Pass
    if breakers[plugin.name] == nil {
      pass = ReferenceBreaker.Pass()
    } else if let admitted = breakers[plugin.name]?.admit(plugin, socket: socket, at: clock.now) {
      pass = admitted
    } else {
      throw Failure(code: .unavailable)
    }

    let reply = await port.ask(
      .hook(plugin: plugin.name, endpoint: plugin.endpoint, point, told), by: clock.now + min(left, plugin.timeout))
    let outcome: ReferenceBreaker.Outcome =
      switch reply {
      case .answer, .undecodable, .pluginFails(.status), .pluginFails(.badAnswer): .answered
      case .timeUp where left >= plugin.timeout: .deadline
      case .timeUp, .pluginFails, .cancelled, .status, .runtimeFails, .ids, .object: .saysNothing
      }
    if outcome == .deadline, breakers[plugin.name] == nil {
      breakers[plugin.name] = ReferenceBreaker(plugin, socket: socket)
    }
    breakers[plugin.name]?.ended(outcome, pass, at: clock.now)
    if breakers[plugin.name]?.isClean == true { breakers[plugin.name] = nil }

    switch reply {
    case .answer(let fields): return fields
    case .undecodable:
      guard readsAnswer else { return [:] }
      throw Failure(code: .internalError)
    case .timeUp: throw Failure(code: .deadlineExceeded)
    case .pluginFails(let error): throw Failure(code: code(of: error))
    case .cancelled, .status, .runtimeFails, .ids, .object: throw Failure(code: .cancelled, isCancelled: true)
    }
  }

  /// Design, "Failure": what kubelet gets.
  private func code(of error: HookCallError) -> StatusCode {
    switch error {
    case .socketUnavailable, .connectionBroken: .unavailable
    case .wrongOwner: .failedPrecondition
    case .deadlineExceeded: .deadlineExceeded
    case .badAnswer: .internalError
    case .cancelled: .cancelled
    case .status(let status):
      [.ok, .cancelled, .notFound, .unimplemented, .alreadyExists].contains(status.code)
        ? .failedPrecondition : status.code
    }
  }

  // MARK: What an answer means

  /// What differs and is not empty; and, if the answer repeats the whole state, the cpusets that it leaves empty.
  private func differences(from told: Fields, to answer: Fields) -> [(field: String, value: String?)] {
    var wanted: [(field: String, value: String?)] = answer.filter { told[$0.key] != $0.value }
      .map { ($0.key, $0.value) }
    let repeatsEverything =
      told["cgroup"] != nil && answer["cgroup"] == told["cgroup"] && answer.hasResources
      && Fields.numbers.allSatisfy { told[$0] == nil || answer[$0] != nil }
    if repeatsEverything {
      for name in Fields.cpusets where told[name] != nil && answer[name] == nil { wanted.append((name, nil)) }
    }
    return wanted
  }

  /// Makes the changes that the plugin may make: none of them if it is under Fail and may not make one.
  private func take(
    _ wanted: [(field: String, value: String?)], of plugin: Registered, at point: HookPoint, into told: inout Fields,
    _ hooks: inout Hooks
  ) throws(Failure) -> [Change] {
    let open = wanted.filter { told[$0.field] != $0.value }
    let permitted = open.filter { isPermitted($0.field, $0.value, at: point, told, hooks) }
    let taken = permitted.filter { hooks.owners[$0.field, default: plugin.name] == plugin.name }
    guard taken.count == open.count || !hooks.mayRefuse(plugin) else { throw Failure(code: .failedPrecondition) }
    for change in taken {
      told[change.field] = change.value
      hooks.owners[change.field] = plugin.name
    }
    return taken.map { Change(field: $0.field, value: $0.value, plugin: plugin) }
  }

  private func isPermitted(
    _ field: String, _ value: String?, at point: HookPoint, _ told: Fields, _ hooks: Hooks
  ) -> Bool {
    let kind = String(field.split(separator: " ")[0])
    let kinds: Set<String> =
      switch point {
      case .preRunPodSandbox: ["label", "annotation", "cgroup", "cpu_shares", "memory", "cpus", "mems", "oom"]
      case .preCreateContainer: ["annotation", "env", "cgroup", "cpu_shares", "memory", "cpus", "mems", "oom"]
      case .preStartContainer, .postStartContainer, .preUpdateContainerResources:
        ["annotation", "cpu_shares", "memory", "cpus", "mems"]
      case .postStopPodSandbox, .postStopContainer: []
      }
    guard kinds.contains(kind) else { return false }
    switch kind {
    case "label", "annotation":
      let key = String(field.dropFirst(kind.count + 1))
      if [Fields.skipKey, Fields.sourceKey].contains(key) { return false }
      if key.hasPrefix("io.kubernetes.pod.") || key.hasPrefix("io.kubernetes.container.") { return false }
      let isKubelets = told[field] != nil && hooks.owners[field] == nil
      return !(isKubelets && key.hasPrefix("io.kubernetes."))
    case "cgroup":
      guard let old = told["cgroup"], let value else { return true }
      return old.hasSuffix(".slice") == value.hasSuffix(".slice")
    case "env": return !field.contains("=")
    default: return true
    }
  }
}

extension Fields {
  static let skipKey = "runtimeproxy.koordinator.sh/skip-hookserver"
  static let sourceKey = "kubernetes.io/config.source"

  /// The pod is never hooked.
  static func isSkipped(_ told: Fields) -> Bool {
    (told["pod label \(skipKey)"] ?? told["label \(skipKey)"]) == "true"
  }

  /// Fail acts as Ignore. What a container is told of its pod says `pod` before it.
  static func isExempt(_ told: Fields) -> Bool {
    let isContainers = told.keys.contains { $0.hasPrefix("pod ") }
    let prefix = isContainers ? "pod " : ""
    return told["\(prefix)ns"] == "kube-system"
      || ["file", "http"].contains(told["\(prefix)annotation \(sourceKey)"] ?? "")
  }
}
