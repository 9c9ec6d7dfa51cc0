internal import Accounts

/// An event as it is sent (HTML Standard, section 9.2, "Server-sent events"): a name, and a document on one line.
struct ServerSentEvent: Sendable {
  static let contentType = "text/event-stream"

  let bytes: [UInt8]

  private init(name: String, _ document: some Encodable) {
    // The document ends with a line's end.
    bytes = Array("event: \(name)\ndata: ".utf8) + AdminResponse.document(document).content + [UInt8(ascii: "\n")]
  }

  /// A hooked call is over.
  init(_ event: AccountEvent) { self.init(name: CallDocument.eventName, CallDocument(event.account)) }

  /// The last one of a reader that was too slow.
  static func missed(_ count: Int) -> ServerSentEvent {
    ServerSentEvent(name: MissedDocument.eventName, MissedDocument(missed: count))
  }
}
