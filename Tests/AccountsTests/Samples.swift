import Accounts
import FoundationEssentials

extension Account {
  /// A call about a container of the pod `demo/web`.
  static func sample(
    _ verb: String = "StartContainer", container: String? = nil, pod: String? = nil, name: String = "web",
    attempt: Int? = nil, calls: [HookCall] = [.sample()]
  ) -> Account {
    Account(
      verb: verb, pod: PodIdentity(namespace: "demo", name: name, uid: "u-1"), podSandboxID: pod,
      containerID: container, began: Date(timeIntervalSince1970: 1000), hookCalls: calls, attempt: attempt)
  }
}

extension HookCall {
  static func sample(
    _ plugin: String = "batch", _ point: String = "PreStartContainer", verdict: Verdict = .unchanged,
    duration: Duration = .milliseconds(1)
  ) -> HookCall {
    HookCall(plugin: plugin, hookPoint: point, isUnderFail: false, duration: duration, verdict: verdict)
  }
}

extension AccountBook {
  /// The accounts that are found, none if it is not one object's.
  func accounts(_ query: String) -> [Account] {
    if case .found(let history) = lookUp(query) { history.accounts } else { [] }
  }

  func droppedOf(_ query: String) -> Int {
    if case .found(let history) = lookUp(query) { history.dropped } else { 0 }
  }
}
