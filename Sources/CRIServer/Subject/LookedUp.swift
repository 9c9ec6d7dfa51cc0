internal import RuntimeDispatcher

/// Whom a call is about, as far as it can be found out.
package enum LookedUp<Record: Sendable>: Sendable {
  case known(Record)
  /// The runtime does not know it (any more): there is nothing to hook.
  case gone
  /// It could not be found out; the text says why.
  case unknown(String)
}

extension Subject {
  /// - Parameter request: What a plugin is sent about the record.
  init<Record>(_ found: LookedUp<Record>, _ request: (Record) -> Request) {
    switch found {
    case .known(let record): self = .known(request(record))
    case .gone: self = .gone
    case .unknown(let why): self = .unknown(why)
    }
  }
}
