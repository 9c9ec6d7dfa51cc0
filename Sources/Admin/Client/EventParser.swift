internal import FoundationEssentials
internal import NIOCore

/// Reads server-sent events as the daemon writes them: one `event:` and one `data:` line each, then an empty one.
struct EventParser {
  private var unread = ByteBuffer()

  /// The events that are complete now. One that this version does not know is passed over.
  mutating func events(in bytes: ByteBuffer) -> [AdminEvent] {
    unread.writeImmutableBuffer(bytes)
    var events: [AdminEvent] = []
    while let end = unread.readableBytesView.firstRange(of: Array("\n\n".utf8)) {
      let block = unread.readableBytesView[..<end.lowerBound]
      let lines = block.split(separator: UInt8(ascii: "\n"))
      if let event = Self.event(
        name: Self.value(of: "event: ", in: lines).map { String(decoding: $0, as: UTF8.self) },
        data: Self.value(of: "data: ", in: lines).map { Data($0) })
      {
        events.append(event)
      }
      unread.moveReaderIndex(to: end.upperBound)
    }
    unread.discardReadBytes()
    return events
  }

  private static func value(of field: String, in lines: [ByteBufferView.SubSequence]) -> ByteBufferView.SubSequence? {
    lines.first { $0.starts(with: field.utf8) }?.dropFirst(field.utf8.count)
  }

  private static func event(name: String?, data: Data?) -> AdminEvent? {
    guard let name, let data else { return nil }
    switch name {
    case CallDocument.eventName:
      return (try? JSONDecoder().decode(CallDocument.self, from: data)).map(AdminEvent.call)
    case MissedDocument.eventName:
      return (try? JSONDecoder().decode(MissedDocument.self, from: data)).map { .missed($0.missed) }
    default: return nil
    }
  }
}
