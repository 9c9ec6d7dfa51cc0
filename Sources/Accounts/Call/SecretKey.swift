/// Which labels and annotations are taken for secrets, by their keys: nobody marks them, so the usual words decide.
///
/// Too much is hidden rather than too little. `last-applied-configuration` is no secret by its key, but kubectl keeps
/// the whole manifest in it, environment included.
package enum SecretKey {
  private static let words: [[UInt8]] = [
    "secret", "token", "passw", "passphrase", "credential", "apikey", "api-key", "api_key", "api.key", "private",
    "bearer", "oauth", "authorization", "dockercfg", "dockerconfig", "last-applied-configuration",
  ].map { Array($0.utf8) }

  /// The words, by their first byte: few keys have many of these.
  private static let beginnings: [[[UInt8]]] = (0...UInt8.max).map { first in words.filter { $0[0] == first } }

  /// Whether the key has one of the words in it, in letters of either case.
  package static func looksSecret(_ key: String) -> Bool {
    let bytes = key.utf8.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    for start in bytes.indices {
      let words = beginnings[Int(bytes[start])]
      if !words.isEmpty, words.contains(where: { bytes[start...].starts(with: $0) }) { return true }
    }
    return false
  }
}
