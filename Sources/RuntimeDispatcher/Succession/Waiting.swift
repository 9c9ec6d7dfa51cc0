/// What of a dispatcher's PostStop* calls another process can go on with: those that wait for their next attempt, as
/// opposed to those that are being made.
struct Waiting: Sendable {
  /// How often a call asks whether there is a successor, while that is being decided.
  static let decision = Duration.milliseconds(20)

  private enum Handover {
    case none
    /// They have been offered, and it is not known yet whether the other process serves.
    case offered
    case done
  }

  private(set) var successor: (any StopSuccessor)?
  private var handover = Handover.none
  private var sleeping: [StopLedger.Claim: @Sendable () -> OwedCall] = [:]
  /// Calls that neither wait nor are over.
  private var active = 0
  private var whenQuiet: [CheckedContinuation<Void, Never>] = []

  /// What a call that has failed does next.
  enum Turn {
    case sleep
    /// Whether there is a successor will be known soon.
    case undecided
    case handOn(any StopSuccessor)
  }

  mutating func began(_ count: Int) { active += count }

  /// - Returns: Who waited for this.
  mutating func ended(_ count: Int) -> [CheckedContinuation<Void, Never>] {
    active -= count
    return quiet()
  }

  /// - Parameter owed: The call as it would be handed over now.
  /// - Returns: What to do, and who waited for quiet.
  mutating func wait(
    _ claim: StopLedger.Claim, _ owed: @escaping @Sendable () -> OwedCall
  ) -> (Turn, [CheckedContinuation<Void, Never>]) {
    switch handover {
    case .offered: return (.undecided, [])
    case .done: return (successor.map(Turn.handOn) ?? .sleep, [])
    case .none:
      sleeping[claim] = owed
      active -= 1
      return (.sleep, quiet())
    }
  }

  /// - Returns: False while the call is offered to another process: it must not be made meanwhile.
  mutating func wake(_ claim: StopLedger.Claim) -> Bool {
    if case .offered = handover, sleeping[claim] != nil { return false }
    leave(claim)
    return true
  }

  /// The call waits no more.
  mutating func leave(_ claim: StopLedger.Claim) {
    sleeping[claim] = nil
    active += 1
  }

  /// - Returns: The calls that wait, by their claims.
  mutating func offer(to successor: any StopSuccessor) -> [StopLedger.Claim: OwedCall] {
    self.successor = successor
    handover = .offered
    return sleeping.mapValues { $0() }
  }

  /// The other process serves.
  /// - Returns: The claims that are its own now.
  mutating func handedOver() -> [StopLedger.Claim] {
    handover = .done
    defer { sleeping = [:] }
    return Array(sleeping.keys)
  }

  /// The other process is gone: all is as if nothing had been.
  mutating func takenBack() {
    handover = .none
    successor = nil
  }

  /// - Returns: True if nothing is active; else the continuation is resumed when that is so.
  mutating func isQuiet(orElse continuation: CheckedContinuation<Void, Never>) -> Bool {
    if active == 0 { return true }
    whenQuiet.append(continuation)
    return false
  }

  private mutating func quiet() -> [CheckedContinuation<Void, Never>] {
    guard active == 0 else { return [] }
    defer { whenQuiet = [] }
    return whenQuiet
  }
}
