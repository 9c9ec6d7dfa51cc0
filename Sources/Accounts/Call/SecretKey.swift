/// Which labels and annotations are taken for secrets, by their keys: nobody marks them, so the usual words decide.
///
/// Too much is hidden rather than too little. `last-applied-configuration` is no secret by its key, but kubectl keeps
/// the whole manifest in it, environment included.
package enum SecretKey {
  private static let words: [[UInt8]] = [
    "secret", "token", "passw", "passphrase", "credential", "apikey", "api-key", "api_key", "api.key", "private",
    "bearer", "oauth", "authorization", "dockercfg", "dockerconfig", "last-applied-configuration",
  ].map { Array($0.utf8) }

  /// The first bytes of the words: few keys have many of them.
  private static let beginnings = Set(words.map { $0[0] }).sorted()

  /// Whether the key has one of the words in it, in letters of either case.
  package static func looksSecret(_ key: String) -> Bool {
    let bytes = key.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    return bytes.indices.contains { start in
      beginnings.contains(bytes[start]) && words.contains { bytes[start...].starts(with: $0) }
    }
  }
}
