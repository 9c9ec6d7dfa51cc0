/// One registration file, and how its plugin does.
package struct PluginDocument: Codable, Sendable, Hashable {
  package enum State: String, Codable, Sendable {
    /// It is registered, and nothing is known against it.
    case healthy
    /// Its last calls ran into their deadlines: for now it is not asked.
    case tripped
    /// Its socket is not there, not served or not trusted.
    case unreachable
    /// Its file has never been good: nothing is registered.
    case rejected
  }

  package struct LastError: Codable, Sendable, Hashable {
    package var text: String
    package var time: String
  }

  package var name: String
  /// The registration file.
  package var file: String
  package var state: State
  /// Why it is not healthy.
  package var reason: String?
  /// When it became so; absent if nobody saw it.
  package var since: String?
  /// What is wrong with the file now, whose last good version is in force.
  package var fileError: String?
  package var endpoint: String?
  package var hooks: [String]
  /// `Fail` or `Ignore`.
  package var policy: String?
  package var timeoutMs: Double?
  /// How often it was asked since the start.
  package var calls: Int
  /// By kind.
  package var failures: [String: Int]
  package var p50Ms: Double?
  package var p99Ms: Double?
  package var lastError: LastError?
}
