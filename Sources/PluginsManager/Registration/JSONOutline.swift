/// A look at a JSON text's outline before the library parses it.
///
/// FoundationEssentials' decoder (Swift 6.3 on Linux) traps instead of throwing when a text ends at its 513th level,
/// and it does not say where a text is broken. The most frequent break is a file written only in part; that one is
/// told here with its position.
package enum JSONOutline {
  /// Deeper texts are refused. A registration has two levels, a runtime's verbose status about ten.
  package static let depthLimit = 32

  /// - Throws: ``RegistrationError/tooLarge(file:limitBytes:)``, ``RegistrationError/empty(file:)``,
  ///   ``RegistrationError/notUTF8(file:)``, ``RegistrationError/tooDeep(file:limit:)`` or
  ///   ``RegistrationError/endsEarly(file:line:column:)``; a text that passes may still be no JSON.
  static func check(_ bytes: [UInt8], file: String) throws(RegistrationError) {
    guard bytes.count <= Registration.limitBytes else {
      throw .tooLarge(file: file, limitBytes: Registration.limitBytes)
    }
    guard !bytes.allSatisfy(isSpace) else { throw .empty(file: file) }
    // A zero byte is how the library recognises UTF-16, whose brackets could not be counted here.
    guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8(file: file) }

    guard let openLevels = openLevels(atTheEndOf: bytes) else { throw .tooDeep(file: file, limit: depthLimit) }
    guard openLevels == 0 else {
      let end = position(ofEndOf: bytes)
      throw .endsEarly(file: file, line: end.line, column: end.column)
    }
  }

  /// Whether the library can be given the text without a trap. It may still be no JSON.
  package static func isSafe(_ text: String) -> Bool {
    !text.utf8.contains(0) && openLevels(atTheEndOf: text.utf8) != nil
  }

  /// How many levels, an open string among them, are still open where the text ends; nil if it is too deep.
  private static func openLevels(atTheEndOf bytes: some Sequence<UInt8>) -> Int? {
    var depth = 0
    var inString = false
    var escaped = false
    for byte in bytes {
      if inString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      guard depth <= depthLimit else { return nil }
    }
    return max(depth, 0) + (inString ? 1 : 0)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\t")
  }

  /// Both count from 1; the column is in bytes and that of the first missing one.
  private static func position(ofEndOf bytes: [UInt8]) -> (line: Int, column: Int) {
    let newline = UInt8(ascii: "\n")
    let lastLine = bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0
    return (line: 1 + bytes.count { $0 == newline }, column: 1 + bytes.count - lastLine)
  }
}
