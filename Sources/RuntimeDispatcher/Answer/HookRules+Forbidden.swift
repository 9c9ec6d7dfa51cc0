internal import PluginsManager

extension HookRules {
  /// Why `change` is forbidden at `point`, nil if it is not (design, "What a hooked call does").
  ///
  /// `present` is what the request has in that field now, with the changes of earlier plugins: a key that has an
  /// owner in `call` came from a plugin, any other from kubelet.
  func whyForbidden(
    _ change: Change, at point: HookPoint, present: FieldValue?, in call: HookedCall
  ) -> String? {
    guard point.changeable.contains(ChangeableFields(kindOf: change.field)) else {
      return "may not be changed at this hook point"
    }
    switch change.field {
    case .label(let key), .annotation(let key):
      let isKubelets = present != nil && call.owners[change.field] == nil
      return whyForbidden(key: key, isKubelets: isKubelets)
    case .cgroupParent:
      guard let sent = present?.text, let wanted = change.value.text else { return nil }
      switch (CgroupParent(sent).isSlice, CgroupParent(wanted).isSlice) {
      case (true, false): return "a slice may not become a path"
      case (false, true): return "a path may not become a slice"
      case (true, true), (false, false): return nil
      }
    case .env(let key):
      return whyForbidden(env: key, value: change.value.text ?? "", hiddenKeys: call.hiddenEnvKeys)
    case .resource, .hugepageLimit, .unified: return nil
    }
  }

  /// Whether a plugin may have added this label or annotation: of what kubelet does not send, nothing else can be
  /// a plugin's.
  package func mayBeAPlugins(key: String) -> Bool { whyForbidden(key: key, isKubelets: false) == nil }

  private func whyForbidden(key: String, isKubelets: Bool) -> String? {
    if key == skipLabel.key || key == Self.configSourceKey { return "the key decides whether and how hooks run" }
    // kubelet finds its own objects again by these (kubelet contract, "Steady state").
    if key.hasPrefix("io.kubernetes.pod.") || key.hasPrefix("io.kubernetes.container.") {
      return "the key is reserved for kubelet"
    }
    return isKubelets && key.hasPrefix("io.kubernetes.") ? "the key was sent by kubelet" : nil
  }

  private func whyForbidden(env key: String, value: String, hiddenKeys: Set<String>) -> String? {
    if key.isEmpty || key.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 == 0 }) {
      return "not a name that an environment variable can have"
    }
    if value.utf8.contains(0) { return "the value contains NUL" }
    return hiddenKeys.contains(key) ? "the present value is not UTF-8" : nil
  }
}
