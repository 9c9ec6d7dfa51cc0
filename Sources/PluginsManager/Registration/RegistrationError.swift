/// Why a registration file, or the whole directory, is not used.
///
/// The text is made to be shown as it is: which file, which line, which key, what is wrong, what is meant instead.
/// Texts taken from a file are shortened. Lines and columns (in bytes) count from 1.
package enum RegistrationError: Error, Sendable, Hashable {
  // The file or directory.
  case unreadable(path: String, operation: String, reason: String)
  case notARegularFile(file: String)
  case nameNotUTF8(file: String)
  case writableByOthers(path: String, mode: UInt32)
  case wrongOwner(path: String, uid: UInt32, daemonUID: UInt32)

  // The text.
  case tooLarge(file: String, limitBytes: Int)
  case empty(file: String)
  case notUTF8(file: String)
  case tooDeep(file: String, limit: Int)
  case endsEarly(file: String, line: Int, column: Int)
  /// Where the text stops being JSON and what is meant there; `nil` where only the JSON library knows.
  case syntax(file: String, line: Int?, column: Int?, meant: String?)
  case notAnObject(file: String)

  // The keys.
  case wrongType(file: String, line: Int, key: String, meant: String)
  case endpointMissing(file: String, unknownKeys: [String])
  case endpointNotAbsolute(file: String, line: Int, found: String)
  case endpointTooLong(file: String, line: Int, bytes: Int)
  case failurePolicyUnknown(file: String, line: Int, found: String)
  case timeoutInvalid(file: String, line: Int, found: String)
}

extension RegistrationError: CustomStringConvertible {
  package var description: String {
    "\(path)\(line.map { ":\($0)" } ?? ""): \(key.map { "\($0): " } ?? "")\(problem)"
  }

  package var path: String {
    switch self {
    case .unreadable(let path, _, _), .writableByOthers(let path, _), .wrongOwner(let path, _, _): path
    case .notARegularFile(let file), .nameNotUTF8(let file), .tooLarge(let file, _), .empty(let file),
      .notUTF8(let file), .tooDeep(let file, _), .endsEarly(let file, _, _), .syntax(let file, _, _, _),
      .notAnObject(let file), .wrongType(let file, _, _, _), .endpointMissing(let file, _),
      .endpointNotAbsolute(let file, _, _), .endpointTooLong(let file, _, _), .failurePolicyUnknown(let file, _, _),
      .timeoutInvalid(let file, _, _):
      file
    }
  }

  /// `nil` if it is about the file as a whole.
  package var line: Int? {
    switch self {
    case .endsEarly(_, let line, _), .wrongType(_, let line, _, _), .endpointNotAbsolute(_, let line, _),
      .endpointTooLong(_, let line, _), .failurePolicyUnknown(_, let line, _), .timeoutInvalid(_, let line, _):
      line
    case .syntax(_, let line, _, _): line
    case .unreadable, .notARegularFile, .nameNotUTF8, .writableByOthers, .wrongOwner, .tooLarge, .empty, .notUTF8,
      .tooDeep, .notAnObject, .endpointMissing:
      nil
    }
  }

  /// The key that it is about, if any.
  package var key: String? {
    switch self {
    case .wrongType(_, _, let key, _): key
    case .endpointMissing, .endpointNotAbsolute, .endpointTooLong: RegistrationFile.Key.remoteEndpoint.rawValue
    case .failurePolicyUnknown: RegistrationFile.Key.failurePolicy.rawValue
    case .timeoutInvalid: RegistrationFile.Key.timeout.rawValue
    case .unreadable, .notARegularFile, .nameNotUTF8, .writableByOthers, .wrongOwner, .tooLarge, .empty, .notUTF8,
      .tooDeep, .endsEarly, .syntax, .notAnObject:
      nil
    }
  }

  /// What is wrong and what is meant, without where.
  package var problem: String {
    switch self {
    case .unreadable(_, let operation, let reason):
      "\(operation): \(reason)"
    case .notARegularFile:
      "is not a regular file"
    case .nameNotUTF8:
      "the file's name is not UTF-8, no plugin can be called that"
    case .writableByOthers(_, let mode):
      "group or others may write here (mode 0\(String(mode, radix: 8))), who does owns the node; chmod go-w"
    case .wrongOwner(_, let uid, let daemonUID):
      "belongs to user \(uid); root\(daemonUID == 0 ? "" : " or user \(daemonUID)") must own it"
    case .tooLarge(_, let limitBytes):
      "is larger than \(limitBytes) bytes"
    case .empty:
      "is empty; a JSON object is meant"
    case .notUTF8:
      "is not UTF-8 text"
    case .tooDeep(_, let limit):
      "is nested more than \(limit) levels deep; a JSON object with plain values is meant"
    case .endsEarly(_, _, let column):
      "ends too early, at column \(column); written only in part?"
    case .syntax(_, _, let column?, let meant?):
      "is not valid JSON: at column \(column), \(meant) is meant"
    case .syntax:
      "is not valid JSON"
    case .notAnObject:
      "is not a JSON object"
    case .wrongType(_, _, _, let meant):
      "\(meant) is meant"
    case .endpointMissing(_, let unknownKeys):
      "is missing; the absolute path of the plugin's unix socket is meant"
        + (unknownKeys.isEmpty ? "" : " (unknown keys here: \(unknownKeys.listed))")
    case .endpointNotAbsolute(_, _, let found):
      "\(found.quoted) is not an absolute path; \"/run/plugin.sock\" or \"unix:///run/plugin.sock\" is meant"
    case .endpointTooLong(_, _, let bytes):
      "the path has \(bytes) bytes; a socket's path has at most \(Registration.endpointLimitBytes)"
    case .failurePolicyUnknown(_, _, let found):
      "\(found.quoted) is unknown; \"Fail\" or \"Ignore\" is meant"
    case .timeoutInvalid(_, _, let found):
      "\(found.quoted) is no duration from 1ms to 60s; such as \"500ms\", \"2s\" or \"1.5s\" is meant"
    }
  }
}
