internal import CRIServer
internal import Glibc
internal import HandoverMessages
internal import Logging
internal import NIOCore
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

// The process that comes.

extension Succession {
  /// What has come of the old process's state so far, besides what the Store and the dispatcher hold by now.
  private final class Estate {
    var inProgress: [StopCall] = []
    var owed: [OwedCall] = []
    var predecessors: [HandoverPredecessor] = []
    var records = 0
  }

  private enum Outcome: Sendable {
    case given
    /// The old process has died: what it has given so far is all there is.
    case died
    case calledOff(String)
  }

  /// Takes the place of the process that has started this one.
  ///
  /// - Throws: ``HandoverCalledOff`` if that one goes on.
  func takeOver(_ inheritance: Inheritance) async throws {
    HandoverStep.ready.pass()
    let link = try await Link.connected(fcntl(inheritance.link, F_DUPFD_CLOEXEC, 0), on: eventLoop)
    let estate = Estate()
    let outcome = await take(estate, from: link, inheritance.link)
    switch outcome {
    case .calledOff(let reason):
      link.close()
      throw HandoverCalledOff(reason: reason)
    case .given: try await adopt(inheritance.predecessors) { index in estate.predecessors.first { $0.index == index } }
    case .died:
      close(inheritance.link)
      logger.warning("the process that was to give its place has died", metadata: ["records": "\(estate.records)"])
      // It cannot say where it has stopped reading from older ones.
      try await adopt(inheritance.predecessors) { _ in HandoverPredecessor() }
    }
    HandoverStep.taken.pass()
    try await parts.cri.accept()
    HandoverStep.accepting.pass()
    told(.tookOver)
    for owed in estate.owed { parts.dispatcher.inherit(owed, lookUp: parts.calls.owedLookUp) }
    logger.info("taken over from another process", metadata: ["records": "\(estate.records)"])
    link.send(.serving(HandoverServing()))
    HandoverStep.serving.pass()
  }

  private func take(_ estate: Estate, from link: Link, _ descriptor: CInt) async -> Outcome {
    let (outcomes, outcome) = AsyncStream<Outcome>.makeStream()
    link.whenFrame = { [unowned link] content in
      switch content {
      case .take(let take):
        if take.runtimeHasAnswered { self.parts.calls.runtimeAnswered() }
        let others = Set(estate.predecessors.flatMap(\.inProgress).compactMap(\.stopCall))
        // From now on it says what its calls leave.
        self.predecessors.add(link, descriptor, inProgress: estate.inProgress.filter { !others.contains($0) })
        outcome.yield(.given)
      case .abort(let abort): outcome.yield(.calledOff(abort.reason))
      default: self.inherit(content, into: estate)
      }
    }
    link.whenEnded = { outcome.yield(.died) }
    link.send(
      .hello(
        .with {
          $0.version = HandoverState.version
          $0.process = getpid()
          $0.programVersion = programVersion
        }))
    HandoverStep.greeting.pass()
    link.proceed()
    for await outcome in outcomes { return outcome }
    return .died
  }

  private func inherit(_ content: HandoverFrame.OneOf_Content, into estate: Estate) {
    let dispatcher = parts.dispatcher
    switch content {
    case .record(let record):
      parts.store.load(record.storeRecord)
      estate.records += 1
    case .stop(let entry):
      guard let call = entry.call.stopCall else { return }
      switch entry.end {
      case .succeeded: dispatcher.inherit(succeeded: call)
      // Not before the old process has let go of it.
      case .owed(let owed): estate.owed.append(owed)
      case .abandoned: break
      case nil: if dispatcher.claim(call) { estate.inProgress.append(call) }
      }
    case .breaker(let breaker): dispatcher.inherit([breaker.breakerState], in: parts.calls.registry)
    case .predecessor(let predecessor): estate.predecessors.append(predecessor)
    default: break
    }
  }

  /// Reads on where the old process has stopped reading from older ones.
  ///
  /// - Parameter given: What it has said of the descriptor with this index; nil if that link has ended.
  private func adopt(_ descriptors: [CInt], _ given: (Int) -> HandoverPredecessor?) async throws {
    for (index, descriptor) in descriptors.enumerated() {
      guard let predecessor = given(index) else {
        close(descriptor)
        continue
      }
      let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
      let link = try await Link.connected(descriptor, unread: Array(predecessor.unread), on: eventLoop)
      link.send(.released(HandoverReleased()))
      predecessors.add(link, copy, inProgress: predecessor.inProgress.compactMap(\.stopCall))
    }
  }
}
