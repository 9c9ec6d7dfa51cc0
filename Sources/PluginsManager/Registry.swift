/// An immutable picture of all registered plugins. One CRI call sees one registry, whatever happens to
/// the directory meanwhile.
package struct Registry: Sendable {
  /// All plugins, in byte order of their names.
  package let plugins: [Plugin]
  private let byHookPoint: [HookPoint: [Plugin]]

  package static let empty = Registry(plugins: [])

  package init(plugins: some Sequence<Plugin>) {
    self.plugins = plugins.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var byHookPoint: [HookPoint: [Plugin]] = [:]
    for plugin in self.plugins {
      for point in plugin.hookPoints { byHookPoint[point, default: []].append(plugin) }
    }
    self.byHookPoint = byHookPoint
  }

  /// The plugin of this name.
  package func plugin(named name: String) -> Plugin? { plugins.first { $0.name == name } }

  /// The plugins to ask at `point`, in the order in which they are asked.
  package func plugins(at point: HookPoint) -> [Plugin] { byHookPoint[point] ?? [] }
}
