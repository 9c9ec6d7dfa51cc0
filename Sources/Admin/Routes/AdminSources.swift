package import Accounts
package import Logging
package import NIOCore
package import PluginsManager
package import Prometheus
package import RuntimeDispatcher
package import Store

/// What the routes tell about, all of it readable from any thread.
package struct AdminSources: Sendable {
  package var plugins: PluginsManager
  package var dispatcher: RuntimeDispatcher
  package var store: Store
  package var accounts: AccountBook
  package var metrics: PrometheusExporter
  /// Why kubelet cannot be served yet; nil if it can.
  package var notReady: @Sendable () -> String?
  /// The event loop of the calls.
  package var calls: any EventLoop
  package var setLogLevel: @Sendable (Logger.Level) -> Void
  package var logger: Logger

  package init(
    plugins: PluginsManager, dispatcher: RuntimeDispatcher, store: Store, accounts: AccountBook,
    metrics: PrometheusExporter,
    notReady: @escaping @Sendable () -> String?, calls: any EventLoop,
    setLogLevel: @escaping @Sendable (Logger.Level) -> Void, logger: Logger
  ) {
    self.plugins = plugins
    self.dispatcher = dispatcher
    self.store = store
    self.accounts = accounts
    self.metrics = metrics
    self.notReady = notReady
    self.calls = calls
    self.setLogLevel = setLogLevel
    self.logger = logger
  }
}
