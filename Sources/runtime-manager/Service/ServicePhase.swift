internal import CRIServer
internal import Systemd

/// What the service manager is told of the daemon, and when: ready when the socket is served and the runtime has answered
/// once; a status line whenever another one is true.
struct ServicePhase {
  private enum Runtime { case unknown, up, gone }

  private let runtimePath: String
  private var isServing = false
  private var runtime = Runtime.unknown
  private var isReady = false
  private var plugins = 0
  private var callsToFinish: Int?
  private var status = ""

  init(runtimePath: String) { self.runtimePath = runtimePath }

  /// - Returns: What to say now; nothing if nothing is new.
  mutating func heard(_ event: ServerEvent) -> [ServiceNews] {
    switch event {
    case .serving: isServing = true
    case .runtimeIsUp: runtime = .up
    case .runtimeIsGone: runtime = .gone
    case .draining(let calls): callsToFinish = calls
    }
    return news()
  }

  /// So many plugins are registered.
  mutating func counted(plugins: Int) -> [ServiceNews] {
    self.plugins = plugins
    return news()
  }

  /// Everything, for a manager that has heard another process so far.
  mutating func all() -> [ServiceNews] {
    status = ""
    return news()
  }

  private mutating func news() -> [ServiceNews] {
    var news: [ServiceNews] = []
    if isServing, runtime == .up, !isReady {
      isReady = true
      news.append(.ready)
    }
    if let line, line != status {
      status = line
      news.append(.status(line))
    }
    return news
  }

  private var line: String? {
    if let callsToFinish { return "draining, \(Self.counted(callsToFinish, "call"))" }
    switch runtime {
    case .unknown, .gone: return "waiting for the runtime at \(runtimePath)"
    case .up: return isServing ? "serving, \(Self.counted(plugins, "plugin"))" : nil
    }
  }

  private static func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
}
