/// What one registration file says: a file's bytes, checked, without its name and its history.
///
/// The keys of the JSON object; every other key is a warning, and `null` is the same as an absent key.
///
/// | key | meaning | when absent |
/// |---|---|---|
/// | `remote-endpoint` | absolute path of the plugin's unix socket, `unix://` may precede it; at most 107 bytes | refused |
/// | `failure-policy` | `Fail` or `Ignore` | also when empty: `Ignore` |
/// | `runtime-hooks` | list of hook point names | never asked, a warning |
/// | `timeout` | deadline of one call, see ``Swift/Duration/init(timeoutText:)`` | 5 s |
/// | `uid` | number of a further user who may own the socket | none |
///
/// If a key occurs twice its first value counts, as the JSON library has it, with a warning. Its other liberties, such as
/// a comma behind the last member or a byte order mark, are taken without one.
package struct Registration: Sendable, Hashable {
  package var endpoint: String
  package var failurePolicy: FailurePolicy
  package var hookPoints: Set<HookPoint>
  /// Default 5 s, 1 ms to 60 s.
  package var timeout: Duration
  package var uid: UInt32?
  /// What is odd about the file without making it unusable.
  package var warnings: [RegistrationWarning]

  /// A file of more bytes is refused before it is parsed.
  package static let limitBytes = 1 << 20

  /// What fits into `sun_path` with its terminating zero (unix(7)).
  package static let endpointLimitBytes = 107

  package static let defaultTimeout = Duration.seconds(5)

  package init(
    endpoint: String, failurePolicy: FailurePolicy = .ignore, hookPoints: Set<HookPoint>,
    timeout: Duration = Registration.defaultTimeout, uid: UInt32? = nil, warnings: [RegistrationWarning] = []
  ) {
    self.endpoint = endpoint
    self.failurePolicy = failurePolicy
    self.hookPoints = hookPoints
    self.timeout = timeout
    self.uid = uid
    self.warnings = warnings
  }

  /// The plugin that this file registers.
  package func plugin(name: String, version: UInt64) -> Plugin {
    Plugin(
      name: name, endpoint: endpoint, failurePolicy: failurePolicy, hookPoints: hookPoints, timeout: timeout, uid: uid,
      version: version)
  }
}
