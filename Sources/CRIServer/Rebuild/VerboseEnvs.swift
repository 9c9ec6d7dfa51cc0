internal import FoundationEssentials

/// A container's environment in the JSON of a verbose status, which has no way to hold bytes.
///
/// A runtime whose `KeyValue.value` is a string writes it as it is, and what is not UTF-8 as U+FFFD. One built on a
/// cri-api in which it is bytes may write base64. Which one it is, is told by the environment of the process itself: if
/// it holds a value decoded and none as it is written, the values are base64.
struct VerboseEnvs {
  /// As a plugin sees them: the last entry of each key, keys whose value is not UTF-8 left out.
  private(set) var visible: [String: String] = [:]

  /// - Parameters:
  ///   - envs: `envs` of the config, in order.
  ///   - processEnv: `process.env` of the specification; nil if it is not known.
  init(_ envs: [(key: String, value: String)], processEnv: [String]?) {
    let written = Dictionary(envs.map { ($0.key, $0.value) }) { _, last in last }
    var inProcess: [String: String] = [:]
    for env in processEnv ?? [] {
      guard let equals = env.firstIndex(of: "=") else { continue }
      inProcess[String(env[..<equals])] = String(env[env.index(after: equals)...])
    }
    let told = written.filter { !$0.value.isEmpty && inProcess[$0.key] != nil }
    let isBase64 =
      !told.contains { $0.value == inProcess[$0.key] }
      && told.contains { Self.decoded($0.value) == inProcess[$0.key] }
    for (key, value) in written {
      // Not UTF-8 at the runtime; with luck a value that has this character by itself, which is not worth the risk of
      // a plugin replacing what it has not seen.
      if [value, inProcess[key]].contains(where: { $0?.unicodeScalars.contains("\u{FFFD}") == true }) { continue }
      visible[key] = isBase64 ? Self.decoded(value) : value
    }
  }

  private static func decoded(_ base64: String) -> String? {
    Data(base64Encoded: base64).flatMap { String(validating: $0, as: UTF8.self) }
  }
}
