import PluginsManager

extension Plugin {
  /// A plugin registered at every hook point.
  static func named(
    _ name: String, _ policy: FailurePolicy = .ignore, timeout: Duration = .seconds(5), version: UInt64 = 0
  ) -> Plugin {
    Plugin(
      name: name, endpoint: "/run/\(name).sock", failurePolicy: policy, hookPoints: Set(HookPoint.allCases),
      timeout: timeout, version: version)
  }
}
