internal import Glibc
internal import PluginsManager

/// Are the registration files in order, and do the plugins answer?
struct PluginCheck {
  let node: Node
  let hookDir: String
  let dial: ([Plugin]) async -> [Plugin: PluginDial.Outcome]

  func findings() async -> [DoctorFinding] {
    let place = node.path(hookDir)
    guard let files = RegistrationCheck.directory(place, daemonUID: geteuid()) else {
      return [DoctorFinding(.ok, "plugins", "\(hookDir) does not exist: none is registered")]
    }
    guard !files.isEmpty else { return [DoctorFinding(.ok, "plugins", "\(hookDir): none is registered")] }
    let outcomes = await dial(files.compactMap(\.plugin).map(onNode))
    return files.flatMap { findings(of: $0, outcomes, place: place) }
  }

  private func findings(
    of file: CheckedFile, _ outcomes: [Plugin: PluginDial.Outcome], place: String
  ) -> [DoctorFinding] {
    let name = hookDir + file.path.dropFirst(place.count)
    let wrong = file.findings.map { finding in
      DoctorFinding(
        finding.severity == .error ? .fail : .warn, "plugins",
        "\(name)\(finding.line.map { ":\($0)" } ?? ""): \(finding.text)",
        advice: "mend it; runtime-manager check \(hookDir) shows all of it")
    }
    guard let plugin = file.plugin else { return wrong }
    if let problem = outcomes[onNode(plugin)]?.problem(of: plugin) {
      // What the plugin's failure means for pods is its policy's to say.
      let isFatal = plugin.failurePolicy == .fail && !plugin.hookPoints.isEmpty
      return wrong + [
        DoctorFinding(
          isFatal ? .fail : .warn, "plugins", "\(plugin.name): \(problem)",
          advice: isFatal
            ? "start it, or delete \(name): until then its policy Fail refuses pods" : "start it, or delete \(name)")
      ]
    }
    return wrong + [DoctorFinding(.ok, "plugins", "\(plugin.name) answers on \(plugin.endpoint)")]
  }

  private func onNode(_ plugin: Plugin) -> Plugin {
    var plugin = plugin
    plugin.endpoint = node.path(plugin.endpoint)
    return plugin
  }
}
