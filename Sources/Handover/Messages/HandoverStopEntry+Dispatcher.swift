internal import FoundationEssentials
internal import HandoverMessages
internal import HookMessages
internal import PluginsManager
internal import RuntimeDispatcher
internal import SwiftProtobuf

extension HandoverStopCall {
  init(_ call: StopCall) {
    self.init()
    plugin = call.plugin
    hookPoint = call.hookPoint.rawValue
    objectID = call.objectID
  }

  /// Nil if there is no such hook point.
  var stopCall: StopCall? {
    HookPoint(rawValue: hookPoint).map { StopCall(plugin: plugin, hookPoint: $0, objectID: objectID) }
  }
}

extension HandoverStopEntry {
  init(_ call: StopCall, _ state: State) {
    self.init()
    self.call = HandoverStopCall(call)
    self.state = state
  }

  init(_ call: StopCall, ended end: StopEnd) {
    switch end {
    case .succeeded: self.init(call, .succeeded)
    case .abandoned: self.init(call, .abandoned)
    case .owed(let owed):
      self.init(call, .owed)
      self.owed = HandoverOwed(owed)
    }
  }

  /// How the call ended; nil if it is in progress or cannot be read.
  var end: StopEnd? {
    switch state {
    case .succeeded: .succeeded
    case .abandoned: .abandoned
    case .owed: call.stopCall.flatMap { owed.owedCall($0) }.map { .owed($0) }
    case .inProgress, .UNRECOGNIZED: nil
    }
  }
}

extension HandoverOwed {
  init(_ owed: OwedCall) {
    self.init()
    switch owed.about {
    case .pod(let request): about = .pod((try? request.serializedData()) ?? Data())
    case .container(let request): about = .container((try? request.serializedData()) ?? Data())
    case .unknown(let why): about = .unknown(why)
    }
    waitMs = owed.wait.milliseconds
    delayMs = owed.delay.milliseconds
    leftMs = owed.left.milliseconds
  }

  /// Nil if its subject cannot be read.
  func owedCall(_ call: StopCall) -> OwedCall? {
    let about: OwedCall.About
    switch self.about {
    case .pod(let bytes):
      guard let request = try? PodSandboxHookRequest(serializedBytes: bytes) else { return nil }
      about = .pod(request)
    case .container(let bytes):
      guard let request = try? ContainerResourceHookRequest(serializedBytes: bytes) else { return nil }
      about = .container(request)
    case .unknown(let why): about = .unknown(why)
    case nil: return nil
    }
    return OwedCall(
      call: call, about: about, wait: Duration(milliseconds: waitMs), delay: Duration(milliseconds: delayMs),
      left: Duration(milliseconds: leftMs))
  }
}

extension HandoverBreaker {
  init(_ breaker: BreakerState) {
    self.init()
    plugin = breaker.plugin
    switch breaker.state {
    case .closed(let count): deadlinesInARow = UInt32(clamping: count)
    case .open(let left, let since):
      openMs = left.milliseconds
      beenOpenMs = since.milliseconds
    }
    if let identity = breaker.socket {
      socket = .with {
        $0.device = identity.device
        $0.inode = identity.inode
        $0.changedNs = identity.changedNanoseconds
      }
    }
  }

  var breakerState: BreakerState {
    BreakerState(
      plugin: plugin,
      state: hasOpenMs
        ? .open(left: Duration(milliseconds: openMs), since: Duration(milliseconds: beenOpenMs))
        : .closed(deadlinesInARow: Int(deadlinesInARow)),
      socket: hasSocket
        ? SocketIdentity(device: socket.device, inode: socket.inode, changedNanoseconds: socket.changedNs) : nil)
  }
}

extension Duration {
  /// Whole milliseconds, none if it is negative.
  fileprivate var milliseconds: UInt64 {
    UInt64(max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000))
  }

  fileprivate init(milliseconds: UInt64) { self = .milliseconds(Int64(clamping: milliseconds)) }
}
