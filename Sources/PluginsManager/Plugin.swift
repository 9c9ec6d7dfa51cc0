/// One hook plugin, as its registration file describes it.
///
/// An immutable value: a changed file makes a new `Plugin` with another ``version``.
package struct Plugin: Sendable, Hashable {
  /// The file's name without `.json`; plugins of one hook point are asked in byte order of it.
  package var name: String
  /// Absolute path of the plugin's unix socket, at most 107 bytes.
  package var endpoint: String
  package var failurePolicy: FailurePolicy
  package var hookPoints: Set<HookPoint>
  /// How long one call may take: key `timeout`, default 5 s, 1 ms to 60 s.
  package var timeout: Duration
  /// Key `uid`: a further user who may own the socket, besides root and the daemon's own user.
  package var uid: UInt32?
  /// Grows with every change of the file's content: a change closes the plugin's breaker.
  package var version: UInt64

  package init(
    name: String, endpoint: String, failurePolicy: FailurePolicy = .ignore, hookPoints: Set<HookPoint>,
    timeout: Duration = .seconds(5), uid: UInt32? = nil, version: UInt64 = 0
  ) {
    self.name = name
    self.endpoint = endpoint
    self.failurePolicy = failurePolicy
    self.hookPoints = hookPoints
    self.timeout = timeout
    self.uid = uid
    self.version = version
  }
}
