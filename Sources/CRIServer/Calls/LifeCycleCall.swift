internal import GRPC
internal import Store
internal import SwiftProtobuf

/// What one CRI verb does besides being relayed: a new verb is one file that conforms, and one row in
/// ``Verb/call``.
protocol LifeCycleCall: SendableMetatype {
  associatedtype Request: CallRequest
  /// Of the answer, what the Store needs; `Google_Protobuf_Empty` if nothing.
  associatedtype Answer: Message

  /// The record of the object that the call is about; nil if the call is to make it.
  static func record(_ request: Request) -> RecordID?

  /// The object that the runtime has made; nil if the call makes none.
  static func object(madeBy answer: Answer) -> RecordID?

  /// The call has ended in a known way: tells the Store. An answer is there only if the call succeeded. By default
  /// the Store need not know. Called on any thread, some time later.
  static func commit(_ request: Request, _ answer: Answer, _ outcome: CallOutcome, to store: Store)

  /// Does the call with plugins around it.
  static func run(_ request: Request, in exchange: Exchange) async throws(CallEnd) -> UnaryAnswer
}

extension LifeCycleCall {
  /// A verb without hook points is only observed.
  static func run(_ request: Request, in exchange: Exchange) async throws(CallEnd) -> UnaryAnswer {
    try await exchange.forward(Self.self, request)
  }

  static func commit(_ request: Request, _ answer: Answer, _ outcome: CallOutcome, to store: Store) {}

  static func object(madeBy answer: Answer) -> RecordID? { nil }

  /// The call is over. If nobody knows how it ended, the record is stale from now on.
  static func settle(_ request: Request, _ answer: Answer, _ outcome: CallOutcome, to store: Store) {
    guard outcome == .unknown else { return commit(request, answer, outcome, to: store) }
    if let record = record(request) { store.markStale(record) }
  }

  static func run(in exchange: Exchange) async throws(CallEnd) -> UnaryAnswer {
    let request = try exchange.request(Request.self)
    if let record = record(request) { exchange.account.note(record) }
    return try await run(request, in: exchange)
  }

  /// An observed call is over. Bytes that cannot be decoded say nothing.
  static func settle(_ request: some Sequence<UInt8>, _ answer: [UInt8], _ outcome: CallOutcome, to store: Store) {
    guard let request = try? Request(message: Array(request)),
      let answer = try? Answer(serializedBytes: answer)
    else { return }
    settle(request, answer, outcome, to: store)
  }
}
