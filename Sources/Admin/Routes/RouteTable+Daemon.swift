internal import Accounts
internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import PluginsManager
internal import Prometheus
internal import RuntimeDispatcher

extension RouteTable {
  /// All that a running daemon tells, and the two things that it can be told.
  package static func daemon(_ sources: AdminSources) -> RouteTable {
    RouteTable([
      AdminRoute(.GET, "/livez") { _ in .later(sources.pulse) },
      AdminRoute(.GET, "/readyz") { _ throws(AdminError) in
        if let reason = sources.notReady() { throw .notReady(reason) }
        return .now(.text("ok\n"))
      },
      AdminRoute(.GET, "/metrics") { _ in .now(.text(sources.metrics.text(), type: PrometheusExporter.contentType)) },
      AdminRoute(.GET, "/v1/plugins") { _ in .now(.document(sources.pluginsDocument)) },
      AdminRoute(.GET, "/v1/pods") { _ in .now(.document(sources.podsDocument)) },
      AdminRoute(.GET, "/v1/containers") { _ in .now(.document(sources.containersDocument)) },
      AdminRoute(.GET, "/v1/why/{id}") { request throws(AdminError) in
        .now(.document(try sources.why(request.parameters["id"] ?? "")))
      },
      AdminRoute(.GET, "/v1/events") { _ in .events(sources.accounts.events()) },
      AdminRoute(.PUT, "/v1/log-level") { request throws(AdminError) in
        .now(.document(try sources.setLogLevel(from: request.content)))
      },
      AdminRoute(.POST, "/v1/plugins/{name}/reset") { request throws(AdminError) in
        .now(.document(try sources.reset(request.parameters["name"] ?? "")))
      },
    ])
  }
}

extension AdminSources {
  /// The event loop of the calls takes its turns.
  @Sendable
  fileprivate func pulse(_ eventLoop: any EventLoop) -> EventLoopFuture<AdminResponse> {
    let answer = eventLoop.makePromise(of: AdminResponse.self)
    let late = eventLoop.scheduleTask(in: TimeAmount(AdminLimits.pulse)) {
      answer.succeed(AdminError.notReady("the event loop of the calls has not moved for \(AdminLimits.pulse)").response)
    }
    calls.submit {}.hop(to: eventLoop).whenComplete { _ in
      late.cancel()
      answer.succeed(.text("ok\n"))
    }
    return answer.futureResult
  }

  fileprivate var pluginsDocument: PluginsDocument {
    let registry = plugins.registry
    return PluginsDocument(
      plugins: plugins.files.map { file in
        let plugin = registry.plugin(named: file.plugin)
        return PluginDocument(
          file, in: plugins.directory, plugin: plugin, condition: plugin.map(dispatcher.condition),
          statistics: accounts.statistics(of: file.plugin))
      })
  }

  fileprivate func reset(_ plugin: String) throws(AdminError) -> ResetDocument {
    guard plugins.registry.plugin(named: plugin) != nil else { throw .unknown("no plugin is called \(plugin)") }
    let wasTripped = dispatcher.resetBreaker(of: plugin)
    logger.notice("plugin \(plugin): its breaker was closed by an admin client", metadata: ["tripped": "\(wasTripped)"])
    return ResetDocument(plugin: plugin, wasTripped: wasTripped)
  }

  /// - Parameter content: The level's name, as text or as a JSON document.
  fileprivate func setLogLevel(from content: [UInt8]) throws(AdminError) -> LogLevelDocument {
    let document = try? JSONDecoder().decode(LogLevelDocument.self, from: Data(content))
    let text = document?.level ?? String(decoding: content, as: UTF8.self)
    let name = text.trimmed.lowercased()
    guard let level = Logger.Level(rawValue: name) else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw .malformed("\(name.isEmpty ? "nothing" : String(name.prefix(64)).debugDescription) is no level: \(levels)")
    }
    setLogLevel(level)
    logger.notice("log level set by an admin client", metadata: ["level": "\(level)"])
    return LogLevelDocument(level: level.rawValue)
  }
}

extension String {
  /// Without the spaces and quotes around it.
  fileprivate var trimmed: String {
    let dropped: (Character) -> Bool = { $0.isWhitespace || $0 == "\"" }
    return String(drop(while: dropped).reversed().drop(while: dropped).reversed())
  }
}
