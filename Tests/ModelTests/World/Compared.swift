import GRPC
import PluginsManager
import RuntimeDispatcher
import Store

@testable import CRIServer

/// What kubelet asks.
struct KubeletCall: Sendable {
  var verb: Verb
  var fields: Fields
  var timeout: Duration?
}

/// A plugin as it is registered.
struct Registered: Hashable, Sendable {
  var name: String
  var endpoint: String
  var policy: FailurePolicy
  var points: Set<HookPoint>
  var timeout: Duration
  /// How many good contents of files had come before, all files together.
  var version: UInt64
}

extension Registered {
  init(_ plugin: Plugin) {
    self.init(
      name: plugin.name, endpoint: plugin.endpoint, policy: plugin.failurePolicy, points: plugin.hookPoints,
      timeout: plugin.timeout, version: plugin.version)
  }
}

/// What is remembered of a pod or container.
struct Kept: Hashable, Sendable {
  var podSandboxID: String
  var fields: Fields
  /// A pod's recorded changes; nil if nobody knows them.
  var changes: Fields?
  var isStale = false
}

/// What is kept of objects, in numbers.
struct Remains: Hashable, Sendable {
  var records = 0
  var stops = 0
  var owed = 0
  var traces = 0
}

/// How a call ended for kubelet.
enum Verdict: Hashable, Sendable {
  /// With the runtime's own answer.
  case runtime(StatusCode)
  /// Plugins have failed; `names` has those under Fail with their hook points.
  case refused(StatusCode, names: [String])
  /// With a status of RuntimeManager's.
  case ours(StatusCode)
  case reset

  static let runtimesText = "of the runtime"
  private static let refusal = "hook server err: "

  init(_ answer: UnaryAnswer) { self.init(answer.status) }

  init(_ end: CallEnd) {
    switch end {
    case .status(let status): self.init(status)
    case .reset: self = .reset
    }
  }

  /// Of a call that passes through.
  init(failure: CallFailure) {
    switch failure {
    case .reset: self = .reset
    case .deadlineExceeded: self = .ours(.deadlineExceeded)
    case .cancelled: self = .ours(.cancelled)
    case .unreachable, .wrongOwner, .notProcessed, .connectionLost, .tooLarge: self = .ours(.unavailable)
    }
  }

  private init(_ status: Status) {
    if status.message == Self.runtimesText {
      self = .runtime(status.code)
    } else if status.message.hasPrefix(Self.refusal) {
      let reasons = status.message.dropFirst(Self.refusal.count).split(separator: "; ")
      let names = reasons.compactMap { reason -> String? in
        let parts = reason.split(separator: ": ", maxSplits: 2)
        guard parts.count == 3, HookPoint(rawValue: String(parts[1])) != nil else { return nil }
        return "\(parts[0]) \(parts[1])"
      }
      self = .refused(status.code, names: names)
    } else {
      self = .ours(status.code)
    }
  }
}
