/// A name in a directory. The kernel takes any bytes for one.
struct FileName: Sendable {
  /// With replacement characters where the bytes are not UTF-8.
  let text: String
  let isUTF8: Bool

  init(bytes: some Collection<UInt8>) {
    let valid = String(validating: bytes, as: UTF8.self)
    text = valid ?? String(decoding: bytes, as: UTF8.self)
    isUTF8 = valid != nil
  }

  /// Whether a file of this name registers a plugin.
  var isRegistration: Bool { !text.hasPrefix(".") && text.utf8.suffix(5).elementsEqual(".json".utf8) }
}
