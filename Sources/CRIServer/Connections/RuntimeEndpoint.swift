internal import GRPC
package import HTTP2
package import Logging
internal import NIOCore
internal import PluginsManager
internal import ServiceLifecycle

/// The runtime's socket as this process knows it: whether it has ever answered, who waits for it, and when
/// it comes and goes.
///
/// It keeps one connection of its own, to ask `Version` and to see the runtime go away; kubelet's calls
/// travel on their own connections.
// Unchecked, because it is confined to the group's event loop, on whose executor its `run` must be started.
package final class RuntimeEndpoint: Service, @unchecked Sendable {
  package let path: String
  let group: ConnectionGroup
  /// Our own way to the runtime: for probes, look-ups and rebuilds.
  let channel: ClientChannel
  /// The runtime has answered in this process: from now on calls fail at once while it is down, as a direct
  /// call would. Until then they wait.
  private(set) var hasAnswered = false
  private let logger: Logger
  /// Called each time the runtime is reached: at first, and after it was lost.
  var whenUp: (() -> Void)?
  /// Called each time it is lost.
  var whenGone: (() -> Void)?
  private var waiting: [UInt64: WaitingCall] = [:]
  private var waitingBytes = 0
  private var nextID: UInt64 = 0
  /// Why the last probe failed.
  private var lastFailure = ""
  /// ``follow()`` while it waits for the socket.
  private var sleeper: CheckedContinuation<Bool, Never>?

  private static let versionPath = "/runtime.v1.RuntimeService/Version"
  /// A runtime that accepts a call and says nothing for so long is left to its callers.
  private static let probeTimeout: Duration = .seconds(2)
  private static let firstPause: Duration = .milliseconds(50)
  private static let longestPause: Duration = .seconds(1)

  package init(path: String, group: ConnectionGroup, logger: Logger) {
    self.path = path
    self.group = group
    channel = ClientChannel(path: path, group: group)
    self.logger = logger
  }

  /// Response headers have arrived.
  func answered() {
    guard !hasAnswered else { return }
    hasAnswered = true
    releaseWaiting()
  }

  // MARK: Waiting for the first answer

  /// A call that waits, and how it goes on: with nil when the runtime has answered.
  private struct WaitingCall {
    var bytes: Int
    var resume: (Status?) -> Void
    var timer: Scheduled<Void>?
  }

  /// Holds a call until the runtime has answered, or `timeout` has passed.
  ///
  /// - Parameters:
  ///   - bytes: What the call holds.
  ///   - resume: Called once, with nil to go on, or with the status that ends the call.
  /// - Returns: A ticket for ``grow(_:by:)`` and ``leave(_:)``; nil if too much is waiting already.
  func wait(bytes: Int, timeout: Duration?, resume: @escaping (Status?) -> Void) -> UInt64? {
    group.eventLoop.assertInEventLoop()
    guard waiting.count < ServerLimits.waitingCalls, waitingBytes + bytes <= ServerLimits.waitingBytes else {
      return nil
    }
    nextID += 1
    let id = nextID
    let confined = NIOLoopBound(self, eventLoop: group.eventLoop)
    let timer = timeout.map { timeout in
      group.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
        let endpoint = confined.value
        endpoint.leave(id)?(Status(.deadlineExceeded, "\(endpoint.text) has not answered yet: \(endpoint.lastFailure)"))
        return
      }
    }
    waiting[id] = WaitingCall(bytes: bytes, resume: resume, timer: timer)
    waitingBytes += bytes
    return id
  }

  /// A waiting call holds `bytes` more.
  ///
  /// - Returns: False if that is too much: the call must then end with UNAVAILABLE.
  func grow(_ id: UInt64, by bytes: Int) -> Bool {
    guard waitingBytes + bytes <= ServerLimits.waitingBytes else { return false }
    waiting[id]?.bytes += bytes
    waitingBytes += bytes
    return true
  }

  /// Takes a call out of the queue.
  @discardableResult
  func leave(_ id: UInt64) -> ((Status?) -> Void)? {
    guard let call = waiting.removeValue(forKey: id) else { return nil }
    waitingBytes -= call.bytes
    call.timer?.cancel()
    return call.resume
  }

  var tooManyWaiting: Status { Status(.unavailable, "\(text) has not answered yet and too many calls wait for it") }
  var text: String { "runtime unix://\(path)" }

  private func releaseWaiting() {
    for id in waiting.keys.sorted() { leave(id)?(nil) }
  }

  // MARK: Service

  /// Finds the runtime, and finds it again each time it was lost, until shut down. Must run on the event
  /// loop's executor.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { tasks in
        tasks.addTask { await self.watchSocket() }
        await self.follow()
        tasks.cancelAll()
      }
    }
    channel.close()
  }

  /// Asks whether the runtime is there; when it is, waits until it is gone. Asks again after a pause of 50 ms, which
  /// doubles to 1 s while it is not there; a change of its socket ends the pause, and makes the next ones short again.
  private func follow() async {
    var pause = Self.firstPause
    var isAnnounced = false
    while !Task.isCancelled {
      if await probe() {
        pause = Self.firstPause
        isAnnounced = false
        logger.info("the runtime answers", metadata: ["endpoint": "\(path)"])
        whenUp?()
        await channel.untilDisconnected()
        guard !Task.isCancelled else { return }
        logger.warning("the runtime is gone", metadata: ["endpoint": "\(path)"])
        whenGone?()
        // One that answers and hangs up, again and again, must not keep us busy.
        _ = await sleep(for: pause)
      } else {
        if !isAnnounced {
          isAnnounced = true
          logger.warning("waiting for the runtime", metadata: ["endpoint": "\(path)", "error": "\(lastFailure)"])
        }
        let hasChanged = await sleep(for: pause)
        pause = hasChanged ? Self.firstPause : min(pause * 2, Self.longestPause)
      }
    }
  }

  /// The socket's own name is watched, not its directory: what others write beside it must not cost us anything.
  private func watchSocket() async {
    try? await DirectoryWatch.watching(path, on: group.eventLoop, logger: logger) { changes in
      for await _ in changes { wake(true) }
    }
  }

  /// Returns after `pause`, or earlier if the socket comes or goes or the task is cancelled.
  ///
  /// - Returns: The socket has come or gone.
  private func sleep(for pause: Duration) async -> Bool {
    let timer = group.eventLoop.scheduleTask(in: TimeAmount(pause)) { self.wake(false) }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if Task.isCancelled { continuation.resume(returning: false) } else { sleeper = continuation }
      }
    } onCancel: {
      group.eventLoop.execute { self.wake(false) }
    }
  }

  private func wake(_ hasChanged: Bool) {
    sleeper?.resume(returning: hasChanged)
    sleeper = nil
  }

  /// Asks for the runtime's version.
  ///
  /// - Returns: It is there. containerd serves its socket before its CRI plugin is ready, and says UNKNOWN or
  ///   UNAVAILABLE then; any other answer will do.
  private func probe() async -> Bool {
    do throws(CallFailure) {
      let answer = try await channel.unary(
        .request(path: Self.versionPath, timeout: Self.probeTimeout), UnaryBody.body(of: []),
        deadline: .now() + TimeAmount(Self.probeTimeout), answerLimitBytes: ServerLimits.observedBytes)
      if let status = (answer.trailers ?? answer.headers).status, [.unknown, .unavailable].contains(status.code) {
        lastFailure = status.message
        return false
      }
      answered()
      return true
    } catch {
      lastFailure = Status(error, endpoint: self).message
      switch error {
      // It takes calls and does not answer ours: whoever waits finds out for himself.
      case .deadlineExceeded, .reset, .tooLarge: answered()
      case .unreachable, .wrongOwner, .notProcessed, .connectionLost, .cancelled: break
      }
      return false
    }
  }
}
