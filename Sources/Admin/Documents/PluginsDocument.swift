/// How each registration file stands, in byte order of the names.
package struct PluginsDocument: Codable, Sendable, Hashable {
  package var plugins: [PluginDocument]
}
