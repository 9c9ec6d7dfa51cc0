import Accounts
import HookMessages
import Logging
import PluginsManager
import RuntimeDispatcher
import SwiftProtobuf

/// A dispatcher between plugins in memory and a clock that stands still.
struct Rig: Sendable {
  let transport = MemoryTransport()
  let clock = ManualClock()
  let log = LogRecorder()
  let dispatcher: RuntimeDispatcher
  /// The accounts of all calls, each of the container `c1`.
  let book = AccountBook()

  /// - Parameter registrationNow: what becomes of a plugin's registration; nothing, unless told otherwise.
  init(
    rules: HookRules = HookRules(), executor: (any TaskExecutor)? = nil,
    registrationNow: @escaping @Sendable (Plugin) -> Plugin? = { $0 }
  ) {
    dispatcher = RuntimeDispatcher(
      transport: transport, rules: rules, clock: clock, logger: log.logger, executor: executor,
      registrationNow: registrationNow)
  }

  /// Runs `body` while the dispatcher's Post hooks can run.
  func running(_ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup { group in
      group.addTask { [dispatcher] in try await dispatcher.run() }
      do { try await body() } catch {
        group.cancelAll()
        throw error
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// The account of a call that begins now.
  func draft() -> AccountDraft {
    let draft = AccountDraft(verb: "test", began: dispatcher.clock.now, book: book)
    draft.note(containerID: "c1")
    return draft
  }

  /// The accounts that have been filed, the earliest first.
  var accounts: [Account] { if case .found(let history) = book.lookUp("c1") { history.accounts } else { [] } }

  /// A whole call at one Pre hook point.
  func pre<R: HookRequest>(
    _ point: HookPoint, _ request: R, _ plugins: [Plugin], within budget: Duration? = nil,
    hiddenEnvKeys: Set<String> = []
  ) async throws(Refusal) -> (request: R, changes: [OwnedChange]) {
    var request = request
    let account = draft()
    defer { account.file() }
    var call = dispatcher.call(
      about: request, in: Registry(plugins: plugins), hiddenEnvKeys: hiddenEnvKeys,
      company: CallCompany(account: account))
    let changes = try await dispatcher.pre(
      point, &request, call: &call, deadline: budget.map { dispatcher.clock.now + $0 })
    return (request, changes)
  }

  /// A whole call at PostStartContainer.
  func postStart(
    _ request: ContainerResourceHookRequest, _ plugins: [Plugin], within budget: Duration? = nil
  ) async throws(Refusal) -> (request: ContainerResourceHookRequest, changes: [OwnedChange]) {
    var request = request
    let account = draft()
    defer { account.file() }
    var call = dispatcher.call(about: request, in: Registry(plugins: plugins), company: CallCompany(account: account))
    let changes = try await dispatcher.postStart(
      &request, call: &call, deadline: budget.map { dispatcher.clock.now + $0 })
    return (request, changes)
  }

  /// A whole call at PostStopContainer for a known container.
  func postStop(_ request: ContainerResourceHookRequest, _ plugins: [Plugin], object objectID: String = "c1") async {
    let account = draft()
    await dispatcher.postStop(
      .postStopContainer, objectID: objectID, in: Registry(plugins: plugins), answerBy: nil,
      company: CallCompany(account: account)
    ) { .known(request) }
    account.file()
  }
}
