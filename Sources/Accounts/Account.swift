package import FoundationEssentials

/// What is known of one hooked call when it is over: which plugins were asked, in which order, what each of them
/// wanted, and what became of that.
///
/// An account is made of every call at which a plugin was asked, or would have been but for a reason that is given.
/// It never holds the value of an environment variable, nor of a label or annotation whose key looks like that of a
/// secret (``SecretKey``).
package struct Account: Sendable, Equatable {
  /// CRI's name of the call, such as `CreateContainer`.
  package var verb: String
  /// nil if nobody could say which pod it is about.
  package var pod: PodIdentity?
  /// The runtime's id of the pod sandbox; nil if it is not known, and of a RunPodSandbox that made none.
  package var podSandboxID: String?
  /// The runtime's id of the container; nil for calls about a pod, and of a CreateContainer that made none.
  package var containerID: String?
  /// When the call came.
  package var began: Date
  /// From then to the end of its last part, which is the answer to kubelet.
  package var duration: Duration
  /// The name of the status code with which the runtime answered, such as `OK`; nil if it was not asked or gave none.
  package var runtimeCode: String?
  /// The name of the status code that kubelet got; nil if its call was reset, or this is an ``attempt``.
  package var kubeletCode: String?
  /// What kubelet was told if the answer was not the runtime's.
  package var refusal: String?
  /// In the order in which the plugins were asked; those that were told at once are in order of their names.
  package var hookCalls: [HookCall]
  /// nil for a call of kubelet's. An account with a number is of a PostStop* call to one plugin that went on when
  /// kubelet had been answered: 1 is its first attempt, higher ones are repetitions of an owed call.
  package var attempt: Int?
  /// The trace that kubelet's call belongs to; nil if it said none.
  package var trace: TraceContext?

  package init(
    verb: String, pod: PodIdentity? = nil, podSandboxID: String? = nil, containerID: String? = nil,
    began: Date = Date(timeIntervalSince1970: 0), duration: Duration = .zero, runtimeCode: String? = nil,
    kubeletCode: String? = nil, refusal: String? = nil, hookCalls: [HookCall] = [], attempt: Int? = nil,
    trace: TraceContext? = nil
  ) {
    self.verb = verb
    self.pod = pod
    self.podSandboxID = podSandboxID
    self.containerID = containerID
    self.began = began
    self.duration = duration
    self.runtimeCode = runtimeCode
    self.kubeletCode = kubeletCode
    self.refusal = refusal
    self.hookCalls = hookCalls
    self.attempt = attempt
    self.trace = trace
  }

  /// The object under which it is kept: the container, else the pod sandbox, else the pod by its name (a pod that
  /// was never made). nil if nothing is known.
  package var object: String? { containerID ?? podSandboxID ?? pod?.description }
}
