internal import FoundationEssentials
internal import Glibc
internal import HandoverMessages
internal import NIOCore
internal import RuntimeDispatcher
internal import Store
internal import SwiftProtobuf

/// The old processes that have not ended yet: what their calls leave comes in here. Confined to the event loop.
final class Predecessors {
  private struct Predecessor {
    let link: Link
    /// Of the same socket, for a process that takes over from this one.
    let descriptor: CInt
    /// PostStop* calls that it makes.
    var inProgress: Set<StopCall>
  }

  private let store: Store
  private let dispatcher: RuntimeDispatcher
  private let lookUp: OwedLookUp
  private let eventLoop: any EventLoop
  private var all: [ObjectIdentifier: Predecessor] = [:]
  private var whenNone: [CheckedContinuation<Void, Never>] = []

  init(store: Store, dispatcher: RuntimeDispatcher, lookUp: OwedLookUp, eventLoop: any EventLoop) {
    self.store = store
    self.dispatcher = dispatcher
    self.lookUp = lookUp
    self.eventLoop = eventLoop
  }

  var count: Int { all.count }

  /// Reads from an old process, from now on.
  ///
  /// - Parameters:
  ///   - descriptor: Of the link's socket; belongs to this object from now on.
  ///   - inProgress: PostStop* calls that it makes; they must be claimed.
  func add(_ link: Link, _ descriptor: CInt, inProgress: [StopCall]) {
    all[ObjectIdentifier(link)] = Predecessor(link: link, descriptor: descriptor, inProgress: Set(inProgress))
    link.whenFrame = { [weak self, unowned link] in self?.heard($0, from: link) }
    link.whenEnded = { [weak self, unowned link] in self?.ended(link) }
    link.proceed()
  }

  func send(_ content: HandoverFrame.OneOf_Content) {
    for predecessor in all.values { predecessor.link.send(content) }
  }

  /// Returns when there is none.
  func untilNone() async {
    guard !all.isEmpty else { return }
    await withCheckedContinuation { whenNone.append($0) }
  }

  // MARK: Giving them on

  /// Their links' descriptors, in an order that stays until one ends.
  var descriptors: [CInt] { ordered.map(\.descriptor) }

  /// Reads no more, and says where another process reads on. `descriptors`: as it has been left them; those of processes
  /// that have ended since are ended links there as well.
  func pause(_ descriptors: [CInt]) -> [HandoverPredecessor] {
    ordered.compactMap { predecessor in
      guard let index = descriptors.firstIndex(of: predecessor.descriptor) else { return nil }
      let unread = predecessor.link.pause()
      return .with {
        $0.index = UInt32(index)
        $0.unread = Data(unread)
        $0.inProgress = predecessor.inProgress.map { HandoverStopCall($0) }
      }
    }
  }

  /// Nobody else reads on.
  func proceed() { all.values.forEach { $0.link.proceed() } }

  /// Somebody else reads on.
  func letGo() {
    for predecessor in all.values {
      predecessor.link.close()
      close(predecessor.descriptor)
    }
    all = [:]
    wake()
  }

  private var ordered: [Predecessor] { all.values.sorted { $0.descriptor < $1.descriptor } }

  // MARK: What they say

  private func heard(_ content: HandoverFrame.OneOf_Content, from link: Link) {
    switch content {
    case .change(let change): change.storeChange.map { store.apply($0) }
    case .claim(let claim):
      let call = claim.call.stopCall
      let isGranted = call.map { dispatcher.claim($0) } ?? false
      if isGranted, let call { all[ObjectIdentifier(link)]?.inProgress.insert(call) }
      link.send(
        .grant(
          .with {
            $0.number = claim.number
            $0.granted = isGranted
          }))
    case .stopEnded(let entry):
      guard let call = entry.call.stopCall else { return }
      all[ObjectIdentifier(link)]?.inProgress.remove(call)
      dispatcher.ended(call, entry.end ?? .abandoned, lookUp: lookUp)
    case .mark(let number): link.send(.marked(number))
    default: break
    }
  }

  private func ended(_ link: Link) {
    guard let predecessor = all.removeValue(forKey: ObjectIdentifier(link)) else { return }
    close(predecessor.descriptor)
    // It has died while it made them: kubelet's next stop makes them anew.
    for call in predecessor.inProgress { dispatcher.ended(call, .abandoned, lookUp: lookUp) }
    wake()
  }

  private func wake() {
    guard all.isEmpty else { return }
    let waiting = whenNone
    whenNone = []
    waiting.forEach { $0.resume() }
  }
}
