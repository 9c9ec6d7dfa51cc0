package import PluginsManager

/// One PostStop* call: to which plugin, where, and about which object.
package struct StopCall: Hashable, Sendable {
  package var plugin: String
  package var hookPoint: HookPoint
  /// The sandbox's or container's id.
  package var objectID: String

  package init(plugin: String, hookPoint: HookPoint, objectID: String) {
    self.plugin = plugin
    self.hookPoint = hookPoint
    self.objectID = objectID
  }
}
