internal import Logging

/// A change worth a line in the log. Each happens once, however often the directory is read.
enum RegistrationEvent: Sendable, Hashable {
  case registered(Plugin, [RegistrationWarning])
  case changed(Plugin, [RegistrationWarning])
  /// The file broke, or is broken in another way; its last good version stays in force.
  case lastGoodKept(RegistrationError)
  /// The file has the content of its last good version again.
  case recovered(name: String)
  /// The file has not been good yet.
  case rejected(RegistrationError)
  case removed(name: String)
  case directory(DirectoryCondition)
}

extension RegistrationEvent {
  var level: Logger.Level {
    switch self {
    case .registered(_, let warnings), .changed(_, let warnings): warnings.isEmpty ? .info : .warning
    case .recovered, .removed, .directory(.readable): .info
    case .directory(.absent): .notice
    case .lastGoodKept, .rejected, .directory(.refused): .error
    }
  }
}

extension RegistrationEvent: CustomStringConvertible {
  var description: String {
    switch self {
    case .registered(let plugin, let warnings):
      "plugin \(plugin.name): registered: \(Self.summary(of: plugin, warnings))"
    case .changed(let plugin, let warnings):
      "plugin \(plugin.name): changed: \(Self.summary(of: plugin, warnings))"
    case .lastGoodKept(let error):
      "\(error); its last good version stays in force"
    case .recovered(let name):
      "\(name): is good again, nothing changed"
    case .rejected(let error):
      "\(error); it registers nothing"
    case .removed(let name):
      "\(name): is gone, and what it registered"
    case .directory(.readable):
      "the directory of registration files is readable"
    case .directory(.absent):
      "the directory of registration files does not exist; no plugin is registered until it does"
    case .directory(.refused(let error)):
      "\(error); no registration file is read until this is mended, what was registered stays"
    }
  }

  private static func summary(of plugin: Plugin, _ warnings: [RegistrationWarning]) -> String {
    let points = HookPoint.allCases.filter(plugin.hookPoints.contains).map(\.rawValue).joined(separator: ", ")
    let text = "\(plugin.endpoint.quoted), \(plugin.failurePolicy.rawValue), [\(points)]"
    return warnings.isEmpty ? text : "\(text); \(warnings.map(\.description).joined(separator: "; "))"
  }
}
