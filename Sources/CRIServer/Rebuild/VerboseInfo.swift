internal import FoundationEssentials
internal import PluginsManager

/// The JSON text that a runtime gives away in a verbose status.
enum VerboseInfo {
  /// What it says; nil if there is none, or if it is not to be read: then it is as if the runtime had not told.
  static func decoded<Info: Decodable>(_ info: [String: String]) -> Info? {
    guard let text = info["info"], JSONOutline.isSafe(text) else { return nil }
    return try? JSONDecoder().decode(Info.self, from: Data(text.utf8))
  }
}
