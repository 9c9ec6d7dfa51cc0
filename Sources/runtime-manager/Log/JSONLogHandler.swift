internal import Glibc
internal import Logging

/// Writes each log event as one JSON object on a line of its own.
///
/// `time` (RFC 3339, UTC, milliseconds), `level`, `logger`, `message`, `error` if the event carries one, and `metadata`,
/// an object, if there is any. Metadata stays below its own key, so that no key of it can pass for one of ours.
struct JSONLogHandler: LogHandler {
  private let label: String
  private let stream: LogStream
  private let now: @Sendable () -> timespec

  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.info

  /// - Parameter now: the time since 1970, for tests.
  init(label: String, stream: LogStream, now: @escaping @Sendable () -> timespec = Self.systemTime) {
    self.label = label
    self.stream = stream
    self.now = now
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var stream = stream
    stream.write(line(for: event))
  }

  /// Without its end.
  func line(for event: LogEvent) -> String {
    var line = #"{"time":"\#(Self.text(of: now()))","level":"\#(event.level.rawValue)""#
    line += ",\"logger\":\(Self.quoted(label)),\"message\":\(Self.quoted(event.message.description))"
    if let error = event.error { line += ",\"error\":\(Self.quoted("\(error)"))" }
    var metadata = metadata
    if let provided = metadataProvider?.get() { metadata.merge(provided) { $1 } }
    if let own = event.metadata { metadata.merge(own) { $1 } }
    if !metadata.isEmpty { line += ",\"metadata\":\(Self.object(metadata))" }
    return line + "}"
  }

  private static func object(_ metadata: Logger.Metadata) -> String {
    let members = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(value($0.value))" }
    return "{\(members.joined(separator: ","))}"
  }

  private static func value(_ value: Logger.Metadata.Value) -> String {
    switch value {
    case .string(let text): quoted(text)
    case .stringConvertible(let some): quoted(some.description)
    case .dictionary(let metadata): object(metadata)
    case .array(let values): "[\(values.map(Self.value).joined(separator: ","))]"
    }
  }

  /// As RFC 8259, section 7, has it; escaped besides what must be is what would drive a terminal, as in the text
  /// format.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _ where LogStream.drives(scalar):
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  private static let systemTime: @Sendable () -> timespec = {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time
  }

  /// RFC 3339 in UTC.
  private static func text(of time: timespec) -> String {
    var seconds = time.tv_sec
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func padded(_ number: some BinaryInteger, _ digits: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
    let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
    return "\(date)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
  }
}
