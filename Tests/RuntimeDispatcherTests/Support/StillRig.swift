import HookMessages
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf
import Synchronization

/// A ``Rig`` in which nothing moves but when the test moves it: each method returns when every task waits for the
/// clock or for a plugin, so what a test sees is never half done.
final class StillRig: Sendable {
  let rig: Rig
  private let executor = ManualExecutor()
  private let running = Mutex<[Task<Void, Never>]>([])

  init() {
    rig = Rig(executor: executor)
    let dispatcher = rig.dispatcher
    start { _ in try? await dispatcher.run() }
  }

  /// A task that still waits would keep all of this for good.
  deinit {
    for task in running.withLock({ $0 }) { task.cancel() }
    executor.run()
    for _ in 0..<Self.longestWait where rig.clock.sleeperCount > 0 { advance(by: .seconds(3600)) }
  }

  /// Steps of an hour after which nothing waits for the clock any more.
  private static let longestWait = 100

  private func start(_ body: @escaping @Sendable (Rig) async -> Void) {
    let task = Task(executorPreference: executor) { [rig] in await body(rig) }
    running.withLock { $0.append(task) }
    executor.run()
  }

  /// What became of something that was begun; nil as long as it is not over.
  final class Outcome<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)
    var value: Value? { stored.withLock { $0 } }
    func set(_ value: Value) { stored.withLock { $0 = value } }
  }

  func begin<Value: Sendable>(_ body: @escaping @Sendable (Rig) async -> Value) -> Outcome<Value> {
    let outcome = Outcome<Value>()
    start { rig in outcome.set(await body(rig)) }
    return outcome
  }

  /// One Pre hook point about the example container. The outcome is nil for a call that goes on.
  func pre(_ plugins: [Plugin], within budget: Duration? = nil) -> Outcome<Refusal?> {
    begin { rig in
      do throws(Refusal) {
        _ = try await rig.pre(.preStartContainer, ContainerResourceHookRequest.example, plugins, within: budget)
        return nil
      } catch {
        return error
      }
    }
  }

  func postStop(_ plugins: [Plugin], object objectID: String, answerWithin budget: Duration? = nil) -> Outcome<Void> {
    begin { rig in
      await rig.dispatcher.postStop(
        .postStopContainer, objectID: objectID, in: Registry(plugins: plugins),
        answerBy: budget.map { rig.dispatcher.clock.now + $0 }
      ) { .known(ContainerResourceHookRequest.with { $0.containerMeta.id = objectID }) }
    }
  }

  /// See ``ManualClock/advance(by:showing:)``.
  func advance(by duration: Duration, showing shown: Duration? = nil) {
    rig.clock.advance(by: duration, showing: shown)
    executor.run()
  }

  /// The containers that the plugins were told of, in order; those of calls that failed, too.
  var toldContainers: [String] {
    get throws { try rig.transport.asked.map { try $0.container.containerMeta.id } }
  }
}
