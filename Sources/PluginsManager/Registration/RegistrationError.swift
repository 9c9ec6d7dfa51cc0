/// Why a registration file, or the whole directory, is not used.
///
/// The text is made to be shown as it is: which file, which key, what is wrong, what is meant instead.
/// Texts taken from a file are shortened.
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
  /// Line and column (in bytes) count from 1.
  case endsEarly(file: String, line: Int, column: Int)
  case syntax(file: String)
  case notAnObject(file: String)

  // The keys.
  case wrongType(file: String, key: String, meant: String)
  case endpointMissing(file: String, unknownKeys: [String])
  case endpointNotAbsolute(file: String, found: String)
  case endpointTooLong(file: String, bytes: Int)
  case failurePolicyUnknown(file: String, found: String)
  case timeoutInvalid(file: String, found: String)
}

extension RegistrationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(let path, let operation, let reason):
      "\(path): \(operation): \(reason)"
    case .notARegularFile(let file):
      "\(file): is not a regular file"
    case .nameNotUTF8(let file):
      "\(file): the file's name is not UTF-8, no plugin can be called that"
    case .writableByOthers(let path, let mode):
      "\(path): group or others may write here (mode 0\(String(mode, radix: 8))), who does owns the node; chmod go-w"
    case .wrongOwner(let path, let uid, let daemonUID):
      "\(path): belongs to user \(uid); root\(daemonUID == 0 ? "" : " or user \(daemonUID)") must own it"
    case .tooLarge(let file, let limitBytes):
      "\(file): is larger than \(limitBytes) bytes"
    case .empty(let file):
      "\(file): is empty; a JSON object is meant"
    case .notUTF8(let file):
      "\(file): is not UTF-8 text"
    case .tooDeep(let file, let limit):
      "\(file): is nested more than \(limit) levels deep; a JSON object with plain values is meant"
    case .endsEarly(let file, let line, let column):
      "\(file): ends too early, at line \(line), column \(column); written only in part?"
    case .syntax(let file):
      "\(file): is not valid JSON"
    case .notAnObject(let file):
      "\(file): is not a JSON object"
    case .wrongType(let file, let key, let meant):
      "\(file): \(key): \(meant) is meant"
    case .endpointMissing(let file, let unknownKeys):
      "\(file): remote-endpoint: is missing; the absolute path of the plugin's unix socket is meant"
        + (unknownKeys.isEmpty ? "" : " (unknown keys here: \(unknownKeys.listed))")
    case .endpointNotAbsolute(let file, let found):
      "\(file): remote-endpoint: \(found.quoted) is not an absolute path; \"/run/plugin.sock\" or \"unix:///run/plugin.sock\" is meant"
    case .endpointTooLong(let file, let bytes):
      "\(file): remote-endpoint: the path has \(bytes) bytes; a socket's path has at most \(Registration.endpointLimitBytes)"
    case .failurePolicyUnknown(let file, let found):
      "\(file): failure-policy: \(found.quoted) is unknown; \"Fail\" or \"Ignore\" is meant"
    case .timeoutInvalid(let file, let found):
      "\(file): timeout: \(found.quoted) is no duration from 1ms to 60s; such as \"500ms\", \"2s\" or \"1.5s\" is meant"
    }
  }
}
