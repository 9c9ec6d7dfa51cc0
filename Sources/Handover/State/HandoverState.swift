/// Where a process is in giving its place to another: what each event means, without a socket.
///
///     serving ── requested ──▶ starting ── greeted ──▶ offering ── served ──▶ finishing ── released ──▶ released
///        ▲                        │                       │                      │
///        └──────── ended ─────────┴──────── ended ────────┴──────── ended ───────┘
package struct HandoverState: Sendable, Hashable {
  /// Of what two processes say to each other; another one is refused. It grows when an old process would misunderstand a
  /// new one: a field more is no new version.
  package static let version: UInt32 = 1

  package enum Phase: Sendable, Hashable {
    /// This process serves, and nothing is under way.
    case serving
    /// A new process was started and has not said anything.
    case starting
    /// It was given everything, and nobody accepts connections.
    case offering
    /// It serves, and this one finishes its calls. Should it die, this one serves again.
    case finishing
    /// Its place was given on; this process only finishes its calls.
    case released
  }

  package enum Refusal: Sendable, Hashable, CustomStringConvertible {
    case busy
    case tooManyOld(Int)
    case notServing
    case otherVersion(UInt32)

    package var description: String {
      switch self {
      case .busy: "another upgrade is under way"
      case .tooManyOld(let count):
        "\(count) old processes still finish their calls, and that is the limit: try again when one has ended"
      case .notServing: "this process does not serve any more"
      case .otherVersion(let version):
        "the new program speaks version \(version) of the handover, this one version \(HandoverState.version): restart instead"
      }
    }
  }

  /// What is to be done.
  package enum Step: Sendable, Hashable {
    case nothing
    case start
    case refuse(Refusal)
    /// Stop accepting, and give everything.
    case offer
    /// End the new process.
    case callOff(Refusal)
    /// Finish the calls that are here.
    case finish
    /// All is as it was before the request.
    case goOn
    /// Accept connections again: the other process had the socket, and is gone.
    case takeBack(hadServed: Bool)
    /// Nobody is told any more.
    case finishAlone
  }

  package private(set) var phase = Phase.serving

  package init() {}

  /// - Parameter oldProcesses: How many live beside this one.
  package mutating func requested(oldProcesses: Int) -> Step {
    switch phase {
    case .serving where oldProcesses >= HandoverLimits.oldProcesses: return .refuse(.tooManyOld(oldProcesses))
    case .serving:
      phase = .starting
      return .start
    case .starting, .offering: return .refuse(.busy)
    case .finishing, .released: return .refuse(.notServing)
    }
  }

  /// The new process is set up.
  package mutating func greeted(version: UInt32) -> Step {
    guard phase == .starting else { return .nothing }
    guard version == Self.version else {
      phase = .serving
      return .callOff(.otherVersion(version))
    }
    phase = .offering
    return .offer
  }

  /// The new process serves.
  package mutating func served() -> Step {
    guard phase == .offering else { return .nothing }
    phase = .finishing
    return .finish
  }

  /// The new process is gone, or its time is over.
  package mutating func ended() -> Step {
    switch phase {
    case .serving: return .nothing
    case .starting:
      phase = .serving
      return .goOn
    case .offering:
      phase = .serving
      return .takeBack(hadServed: false)
    case .finishing:
      phase = .serving
      return .takeBack(hadServed: true)
    case .released: return .finishAlone
    }
  }

  /// The process that serves has got the place from another one than this.
  package mutating func released() {
    if phase == .finishing { phase = .released }
  }
}
