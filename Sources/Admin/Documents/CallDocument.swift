internal import Accounts

/// The account of one hooked call.
package struct CallDocument: Codable, Sendable, Hashable {
  package static let eventName = "call"

  package struct Pod: Codable, Sendable, Hashable {
    package var namespace: String
    package var name: String
    package var uid: String
  }

  /// When the call came, RFC 3339.
  package var time: String
  /// CRI's name of the call.
  package var call: String
  package var pod: Pod?
  package var podSandboxID: String?
  package var containerID: String?
  package var durationMs: Double
  /// The names of status codes.
  package var runtimeCode: String?
  package var kubeletCode: String?
  /// What kubelet was told instead of the runtime's answer.
  package var refusal: String?
  /// Of a PostStop* call that went on when kubelet had been answered: which attempt it was.
  package var attempt: Int?
  /// Of the trace that kubelet's call belongs to (W3C Trace Context).
  package var traceID: String?
  /// In the order in which they were asked.
  package var plugins: [HookCallDocument]

  private enum CodingKeys: String, CodingKey {
    case time, call, pod, durationMs, runtimeCode, kubeletCode, refusal, attempt, plugins
    case podSandboxID = "podSandboxId"
    case containerID = "containerId"
    case traceID = "traceId"
  }
}

extension CallDocument {
  init(_ account: Account) {
    time = Timestamp.text(account.began)
    call = account.verb
    pod = account.pod.map { Pod(namespace: $0.namespace, name: $0.name, uid: $0.uid) }
    podSandboxID = account.podSandboxID
    containerID = account.containerID
    durationMs = account.duration.milliseconds
    runtimeCode = account.runtimeCode
    kubeletCode = account.kubeletCode
    refusal = account.refusal
    attempt = account.attempt
    traceID = account.trace?.traceID
    plugins = account.hookCalls.map(HookCallDocument.init)
  }
}
