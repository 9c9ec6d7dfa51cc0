internal import CRIServer
internal import HandoverMessages
internal import NIOCore
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// The process that takes over, as this one knows it: what calls report here is sent there, and PostStop* calls are made
/// only with its leave.
// Unchecked, because it is confined to the event loop, on whose executor calls run.
final class Heir: StopSuccessor, CallSuccessor, @unchecked Sendable {
  private let link: Link
  private let store: Store
  private let eventLoop: any EventLoop
  private var lastNumber: UInt64 = 0
  private var claims: [UInt64: CheckedContinuation<Bool, Never>] = [:]
  private var marks: [UInt64: CheckedContinuation<Void, Never>] = [:]
  private var isGone = false

  init(_ link: Link, store: Store, eventLoop: any EventLoop) {
    self.link = link
    self.store = store
    self.eventLoop = eventLoop
  }

  /// Sends everything there is at this moment; what changes from now on follows.
  func give(_ estate: StopEstate, predecessors: [HandoverPredecessor], runtimeHasAnswered: Bool) {
    let records = store.beginJournal {
      self.eventLoop.execute { self.tell() }
    }
    var stops = estate.succeeded.map { HandoverStopEntry($0, .succeeded) }
    stops += estate.inProgress.map { HandoverStopEntry($0, .inProgress) }
    stops += estate.owed.map { HandoverStopEntry($0.call, ended: .owed($0)) }
    for record in records { link.send(.record(HandoverRecord(record))) }
    for stop in stops { link.send(.stop(stop)) }
    for breaker in estate.breakers { link.send(.breaker(HandoverBreaker(breaker))) }
    for predecessor in predecessors { link.send(.predecessor(predecessor)) }
    link.send(
      .take(
        .with {
          $0.runtimeHasAnswered = runtimeHasAnswered
          $0.records = UInt32(records.count)
          $0.stops = UInt32(stops.count)
        }))
  }

  /// The other process is gone: whoever waits for it goes on.
  func gone() {
    isGone = true
    store.endJournal()
    for claim in claims.values { claim.resume(returning: true) }
    for mark in marks.values { mark.resume() }
    (claims, marks) = ([:], [:])
  }

  /// What the other process says.
  func heard(_ content: HandoverFrame.OneOf_Content) {
    switch content {
    case .grant(let grant): claims.removeValue(forKey: grant.number)?.resume(returning: grant.granted)
    case .marked(let number): marks.removeValue(forKey: number)?.resume()
    default: break
    }
  }

  // MARK: CallSuccessor

  func tell() {
    guard !isGone else { return }
    for change in store.takeJournal() { link.send(.change(HandoverChange(change))) }
  }

  func knows() async {
    guard !isGone else { return }
    tell()
    let number = next()
    let confined = NIOLoopBound(self, eventLoop: eventLoop)
    let limit = eventLoop.scheduleTask(in: TimeAmount(HandoverLimits.knows)) {
      confined.value.marks.removeValue(forKey: number)?.resume()
      return
    }
    await withCheckedContinuation { continuation in
      marks[number] = continuation
      link.send(.mark(number))
    }
    limit.cancel()
  }

  // MARK: StopSuccessor

  func claims(_ call: StopCall) async -> Bool {
    guard !isGone else { return true }
    let number = next()
    return await withCheckedContinuation { continuation in
      claims[number] = continuation
      link.send(
        .claim(
          .with {
            $0.number = number
            $0.call = HandoverStopCall(call)
          }))
    }
  }

  func ended(_ call: StopCall, _ end: StopEnd) {
    guard !isGone else { return }
    link.send(.stopEnded(HandoverStopEntry(call, ended: end)))
  }

  private func next() -> UInt64 {
    lastNumber += 1
    return lastNumber
  }
}
