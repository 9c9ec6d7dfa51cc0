import CRIServer
import GRPC
import PluginsManager
import RuntimeDispatcher

/// Something that a side of the comparison asks of the world outside, and waits for.
struct Ask: Hashable, Sendable {
  enum About: Hashable, Sendable {
    /// A plugin is asked about a pod or container.
    case hook(plugin: String, endpoint: String, HookPoint, Fields)
    /// The runtime is to do something.
    case runtime(Verb, Fields)
    /// The runtime is asked what it has.
    case query(Query)
    /// Time is to pass.
    case sleep
  }

  enum Query: Hashable, Sendable {
    case pods
    case containers
    case pod(String)
    case container(String)
  }

  var about: About
  /// When whoever asks waits no more.
  var due: ContinuousClock.Instant?
}

/// What the world answers.
enum Reply: Sendable {
  case answer(Fields)
  case undecodable
  case pluginFails(HookCallError)
  /// Of the runtime, with the id of what it made.
  case status(StatusCode, id: String)
  case runtimeFails(CallFailure)
  case ids([RuntimeObject.ID])
  case object(RuntimeObject)
  case timeUp
  /// Whoever asked has left.
  case cancelled
}

/// One side's way to the world: everything that it waits for, in the order in which it asked.
// Unchecked, because all sides run on the test's own thread.
final class Port: @unchecked Sendable {
  struct Waiting {
    let number: Int
    let ask: Ask
    fileprivate let continuation: CheckedContinuation<Reply, Never>
  }

  private(set) var waiting: [Waiting] = []
  private var lastNumber = 0

  func ask(_ about: Ask.About, by due: ContinuousClock.Instant?) async -> Reply {
    if Task.isCancelled { return .cancelled }
    lastNumber += 1
    let number = lastNumber
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiting.append(Waiting(number: number, ask: Ask(about: about, due: due), continuation: continuation))
      }
    } onCancel: {
      reply(.cancelled, to: number)
    }
  }

  /// Answers what was asked first of all that asks just this.
  /// - Returns: whether somebody does.
  @discardableResult
  func reply(_ reply: Reply, to ask: Ask) -> Bool {
    guard let number = waiting.first(where: { $0.ask == ask })?.number else { return false }
    self.reply(reply, to: number)
    return true
  }

  private func reply(_ reply: Reply, to number: Int) {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
    waiting.remove(at: index).continuation.resume(returning: reply)
  }
}

extension Reply: CustomStringConvertible {
  var description: String {
    switch self {
    case .answer(let fields): "answer: \(fields.text)"
    case .undecodable: "undecodable bytes"
    case .pluginFails(let error): "\(error)"
    case .status(let code, let id): "\(code) \(id)"
    case .runtimeFails(let failure): "\(failure)"
    case .ids(let ids): "\(ids.map(\.id))"
    case .object(let object): "\(object.id.id): \(object.config.text), updated \(object.updates.text)"
    case .timeUp: "time is up"
    case .cancelled: "cancelled"
    }
  }
}

extension Ask: CustomStringConvertible {
  var description: String {
    switch about {
    case .hook(let plugin, let endpoint, let point, let fields):
      "\(plugin) at \(endpoint): \(point.rawValue): \(fields.text)"
    case .runtime(let verb, let fields): "runtime: \(verb.rawValue): \(fields.text)"
    case .query(let query): "runtime: which \(query)"
    case .sleep: "sleep"
    }
  }
}
