package import HTTP2
internal import HookMessages
package import PluginsManager
package import RuntimeDispatcher
internal import Store

// What a process that takes over, or gives its place, needs of the calls.

extension CallServer {
  /// Where calls run.
  package var executor: EventLoopExecutor { group.executor }

  /// The plugins in force now.
  package var registry: Registry { plugins.registry }

  /// Calls need not wait for the runtime's first answer, because it has answered; on the event loop.
  package var runtimeHasAnswered: Bool { runtimeEndpoint.hasAnswered }

  /// The runtime has answered another process that served this node.
  package func runtimeAnswered() {
    runtimeEndpoint.answered()
    imageEndpoint.answered()
  }

  /// For owed calls of another process.
  package var owedLookUp: OwedLookUp {
    OwedLookUp(
      pod: { [lookup] in Subject(await lookup.pod($0)) { EncodedPod($0.request) } },
      container: { [lookup] in Subject(await lookup.container($0), \.hookRequest) })
  }
}
