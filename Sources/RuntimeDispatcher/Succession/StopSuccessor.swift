/// The process that has taken over, for one that finishes its calls: its ledger decides who is told of a stop, so that
/// no plugin is told twice.
package protocol StopSuccessor: Sendable {
  /// Asks for a PostStop* call.
  ///
  /// - Returns: False if it has succeeded there, is in progress or owed. True also if that process is gone: then nobody
  ///   else makes it.
  func claims(_ call: StopCall) async -> Bool

  /// A call that was in progress at the handover, or that was claimed since, is over here.
  func ended(_ call: StopCall, _ end: StopEnd)
}

/// How a PostStop* call ended in a process that finishes its calls.
package enum StopEnd: Hashable, Sendable {
  case succeeded
  /// Nothing more is done about it.
  case abandoned
  /// It failed under Fail; it is repeated by the process that has taken over.
  case owed(OwedCall)
}
