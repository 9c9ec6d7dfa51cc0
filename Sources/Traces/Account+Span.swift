internal import Accounts
internal import FoundationEssentials
internal import Tracing

extension Account {
  /// A moment of the call, by the time of day at which it came.
  func instant(after elapsed: Duration) -> DefaultTracerClock.Timestamp {
    let seconds = began.timeIntervalSince1970 + elapsed.seconds
    return .init(nanosecondsSinceEpoch: UInt64(max(seconds, 0) * 1e9))
  }

  var attributes: SpanAttributes {
    var attributes: SpanAttributes = ["rpc.system": "grpc", "rpc.method": .string(verb)]
    if let pod {
      attributes["k8s.namespace.name"] = pod.namespace
      attributes["k8s.pod.name"] = pod.name
      attributes["k8s.pod.uid"] = pod.uid
    }
    if let containerID { attributes["container.id"] = containerID }
    if let podSandboxID { attributes["runtime_manager.pod_sandbox_id"] = podSandboxID }
    if let runtimeCode { attributes["runtime_manager.runtime_code"] = runtimeCode }
    if let kubeletCode { attributes["rpc.response.status_code"] = kubeletCode }
    return attributes
  }

  /// Why kubelet did not get what it wanted; nil if it did.
  var problem: SpanStatus? {
    kubeletCode == "OK" ? nil : SpanStatus(code: .error, message: refusal ?? kubeletCode ?? "the call was reset")
  }
}

extension HookCall {
  /// Not if it was passed over, nor if its answer is still to come: that is an account of its own.
  var wasAsked: Bool {
    switch verdict {
    case .answered, .unchanged, .changed: true
    case .failed(let failure): ![.tripped, .noTimeLeft, .subjectUnknown].contains(failure.kind)
    case .notAsked, .pending: false
    }
  }

  var attributes: SpanAttributes {
    [
      "rpc.system": "grpc", "runtime_manager.plugin": .string(plugin),
      "runtime_manager.outcome": .string(verdict.outcome.rawValue),
      "runtime_manager.changes": .int64(Int64(changes.count)), "runtime_manager.dropped": .int64(Int64(dropped.count)),
    ]
  }
}
