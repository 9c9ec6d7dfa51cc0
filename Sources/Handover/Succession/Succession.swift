package import CRIServer
internal import Glibc
internal import HandoverMessages
package import Logging
package import NIOCore
package import RuntimeDispatcher
package import ServiceLifecycle
package import Store

/// Giving the place to a new process of the daemon, and taking it from an old one, so that nobody who dials the socket
/// is refused and nothing that is remembered is lost (docs/upgrade.md).
///
/// It owns the socket of `runtime-manager upgrade`. ``run()`` first takes over, if this process was started for that.
// Unchecked, because everything mutable is confined to the event loop, on whose executor `run` must be started.
package final class Succession: Service, @unchecked Sendable {
  /// What the daemon around it must know.
  package enum News: Sendable, Hashable {
    /// This process is the service from now on.
    case tookOver
    /// Another process is.
    case handedOver
    /// No other process is, after all.
    case wentOn
    /// It has died: this process is the service again, and its Store may miss things.
    case tookBack
  }

  /// Its parts of the daemon.
  package struct Parts: Sendable {
    let cri: CRIServer
    let calls: CallServer
    let dispatcher: RuntimeDispatcher
    let store: Store

    package init(cri: CRIServer, calls: CallServer, dispatcher: RuntimeDispatcher, store: Store) {
      self.cri = cri
      self.calls = calls
      self.dispatcher = dispatcher
      self.store = store
    }
  }

  let parts: Parts
  let eventLoop: any EventLoop
  let logger: Logger
  let programVersion: String
  let told: @Sendable (News) -> Void
  let willGive: @Sendable () async -> Void
  let predecessors: Predecessors
  let control: ControlSocket
  private let inheritance: Inheritance?
  private let over: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation
  var state = HandoverState()
  /// The upgrade that is under way, and what became of it.
  var attempt: Attempt?
  var heir: Heir?

  /// - Parameters:
  ///   - control: Of `runtime-manager upgrade`.
  ///   - inheritance: What another process has left to this one.
  ///   - willGive: Lets go of what the new process binds itself; ``News/wentOn`` or ``News/tookBack`` follows if it must be
  ///     bound again.
  ///   - told: Called on the event loop.
  package init(
    _ parts: Parts, control: ControlSocket, inheritance: Inheritance?, programVersion: String, eventLoop: any EventLoop,
    logger: Logger, willGive: @escaping @Sendable () async -> Void, told: @escaping @Sendable (News) -> Void
  ) {
    self.parts = parts
    self.control = control
    self.inheritance = inheritance
    self.programVersion = programVersion
    self.eventLoop = eventLoop
    self.logger = logger
    self.willGive = willGive
    self.told = told
    predecessors = Predecessors(
      store: parts.store, dispatcher: parts.dispatcher, lookUp: parts.calls.owedLookUp, eventLoop: eventLoop)
    (over, end) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Returns when this process has given its place and finished its calls, or was told to end by the one that has it.
  package func untilOver() async {
    for await _ in over { return }
  }

  /// The old processes end with this one; a service of its own, because it is the last that is waited for.
  package var farewell: any Service { Farewell(succession: self) }

  /// - Throws: ``HandoverCalledOff``.
  package func run() async throws {
    if let inheritance { try await takeOver(inheritance) }
    try await control.serve { [weak self] in self?.asked($0, by: $1) }
    try? await gracefulShutdown()
    await control.close()
    callOff("the service is being stopped")
    predecessors.send(.terminate(HandoverStop()))
  }

  private struct Farewell: Service {
    let succession: Succession

    func run() async throws {
      try? await gracefulShutdown()
      await succession.predecessors.untilNone()
    }
  }

  /// This process has nothing left to do.
  func finished() { end.yield() }
}
