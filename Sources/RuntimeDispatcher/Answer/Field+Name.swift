extension Field: CustomStringConvertible {
  /// How log lines and refusals name the field: CRI's name and, where there is one, the key. Never a value.
  /// A plugin chooses the key, so it is cut (``PluginText``).
  package var description: String {
    switch self {
    case .label(let key): "label \(PluginText.cut(key))"
    case .annotation(let key): "annotation \(PluginText.cut(key))"
    case .cgroupParent: "cgroup_parent"
    case .resource(let field): field.rawValue
    case .hugepageLimit(let pageSize): "hugepage_limits \(PluginText.cut(pageSize))"
    case .unified(let key): "unified \(PluginText.cut(key))"
    case .env(let key): "env \(PluginText.cut(key))"
    }
  }
}
