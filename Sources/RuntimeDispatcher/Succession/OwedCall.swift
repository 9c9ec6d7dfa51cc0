package import HookMessages

/// A PostStop* call that is owed, with everything that another process needs to repeat it.
package struct OwedCall: Hashable, Sendable {
  /// What the plugin is told; owed calls keep their own copy, because they outlive the object.
  package enum About: Hashable, Sendable {
    case pod(PodSandboxHookRequest)
    case container(ContainerResourceHookRequest)
    /// Nobody could say so far; the text says why.
    case unknown(String)
  }

  package var call: StopCall
  package var about: About
  /// Until the next attempt.
  package var wait: Duration
  /// Between that one and the one after it.
  package var delay: Duration
  /// Until it is given up.
  package var left: Duration

  package init(call: StopCall, about: About, wait: Duration, delay: Duration, left: Duration) {
    self.call = call
    self.about = about
    self.wait = wait
    self.delay = delay
    self.left = left
  }
}

extension OwedCall.About {
  /// - Parameter subject: As a delivery has it; one that is gone is not owed.
  init(_ subject: Subject<some HookRequest>) {
    switch subject {
    case .known(let request as EncodedPod): self = .pod(request.decoded)
    case .known(let request as ContainerResourceHookRequest): self = .container(request)
    case .known, .gone: self = .unknown("")
    case .unknown(let why): self = .unknown(why)
    }
  }
}
