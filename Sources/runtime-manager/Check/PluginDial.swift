internal import GRPC
internal import Glibc
internal import HTTP2
internal import NIOCore
internal import NIOPosix
internal import PluginsManager

/// Dials plugins without asking them anything about a pod.
enum PluginDial {
  enum Outcome: Sendable, Hashable {
    /// It speaks gRPC: it answered, if only that it does not know the method.
    case answered
    case failed(CallFailure)
    case noGRPC

    /// What is wrong, and what to do; `nil` if nothing.
    func problem(of plugin: Plugin) -> String? {
      switch self {
      case .answered: nil
      case .failed(.unreachable(let path, let reason)): "unix://\(path): \(reason); is the plugin running?"
      case .failed(.wrongOwner(let uid)):
        "the socket belongs to uid \(uid); if that is right, set \"uid\": \(uid) in the file"
      case .failed(.deadlineExceeded):
        "unix://\(plugin.endpoint): accepts the connection and does not answer"
      case .failed, .noGRPC:
        "unix://\(plugin.endpoint): what answers is no gRPC server (plaintext HTTP/2 is meant)"
      }
    }
  }

  /// How long a plugin has to answer. More than its pods would wait: whether it is slow is not what is asked.
  private static let timeout: Duration = .seconds(30)

  /// A method that no plugin changes anything for (gRPC's health checking protocol); most do not serve it.
  private static let methodPath = "/grpc.health.v1.Health/Check"

  /// All at once.
  static func all(_ plugins: [Plugin]) async -> [Plugin: Outcome] {
    let group = ConnectionGroup(eventLoop: MultiThreadedEventLoopGroup(numberOfThreads: 1).next())
    return await withTaskExecutorPreference(group.executor) {
      await withTaskGroup { tasks in
        for plugin in plugins { tasks.addTask { (plugin, await dial(plugin, group)) } }
        return await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
    }
  }

  private static func dial(_ plugin: Plugin, _ group: ConnectionGroup) async -> Outcome {
    let owners = Set([0, geteuid()] + (plugin.uid.map { [$0] } ?? []))
    let channel = ClientChannel(path: plugin.endpoint, group: group, permittedOwners: owners)
    defer { channel.close() }
    do throws(CallFailure) {
      let answer = try await channel.unary(
        .request(path: methodPath, timeout: timeout), UnaryBody.body(of: []), deadline: .now() + TimeAmount(timeout),
        answerLimitBytes: 1 << 20)
      return (answer.trailers ?? answer.headers).hasStatus ? .answered : .noGRPC
    } catch {
      return .failed(error)
    }
  }
}
