internal import CRIServer
internal import Meters
internal import PluginsManager
internal import RuntimeDispatcher
internal import Store

/// Everybody whose state is a metric. What a scrape shows of it is looked up when it comes.
struct MetricsLook: Sendable {
  let server: CallServer
  let dispatcher: RuntimeDispatcher
  let store: Store
  let plugins: PluginsManager

  func look() -> StateMeters.Look {
    var look = StateMeters.Look()
    look.callsInFlight = server.meters.inFlight
    look.owedCalls = dispatcher.counters.owed
    let size = store.size
    (look.pods, look.containers, look.storeBytes) = (size.pods, size.containers, size.bytes)
    for plugin in plugins.registry.plugins { look.breakers[plugin.name] = dispatcher.condition(of: plugin).isTripped }
    look.registrationFiles = ["good": 0, "last_good_kept": 0, "rejected": 0]
    for file in plugins.files {
      switch file.condition {
      case .good: look.registrationFiles["good", default: 0] += 1
      case .lastGoodKept: look.registrationFiles["last_good_kept", default: 0] += 1
      case .rejected: look.registrationFiles["rejected", default: 0] += 1
      }
    }
    return look
  }
}
