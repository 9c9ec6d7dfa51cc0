import HTTP2
import PluginsManager

extension Reference {
  /// Tells the plugins that something was stopped: each once. Who fails under Fail is owed the call.
  func postStop(
    _ point: HookPoint, _ object: String, _ registered: [Registered], answerBy: Instant?,
    subject: @escaping @Sendable () async -> Found
  ) async {
    // Of what is gone by then, nobody will report again that it was removed.
    defer { if records[object] == nil { forget(object) } }
    let plugins = registered.filter {
      $0.points.contains(point) && stops[StopKey(plugin: $0.name, point: point, object: object)] == nil
    }
    guard !plugins.isEmpty else { return }
    for plugin in plugins {
      stops[StopKey(plugin: plugin.name, point: point, object: object)] = .open(isOwed: false, isForgotten: false)
    }
    let attempts = Countdown(plugins.count)
    Task(executorPreference: executor) { [executor] in
      let found = await subject()
      for plugin in plugins {
        Task(executorPreference: executor) {
          await self.deliver(to: plugin, point, object, found, subject) { attempts.count(plugin.name) }
          attempts.count(plugin.name)
        }
      }
    }
    let timer = answerBy.map { answerBy in
      Task(executorPreference: executor) {
        await self.sleep(until: answerBy)
        attempts.end()
      }
    }
    await attempts.wait()
    timer?.cancel()
  }

  /// Tells the plugin, again and again if it is owed: after 1 s, 2 s and so on to 30 s, for 10 minutes.
  private func deliver(
    to plugin: Registered, _ point: HookPoint, _ object: String, _ found: Found, _ lookUp: () async -> Found,
    attempted: () -> Void
  ) async {
    let key = StopKey(plugin: plugin.name, point: point, object: object)
    var (plugin, found) = (plugin, found)
    var pause = Duration.seconds(1)
    var end: Instant?
    while !hasEnded {
      guard let isOwed = await attempt(plugin, point, found, key) else { return }
      guard isOwed else {
        stops[key] = nil
        return
      }
      if case .open(_, let isForgotten) = stops[key] { stops[key] = .open(isOwed: true, isForgotten: isForgotten) }
      attempted()
      let until = end ?? clock.now + .seconds(600)
      end = until
      if clock.now >= until { return drop(key) }
      await sleep(until: min(clock.now + pause, until))
      pause = min(pause * 2, .seconds(30))
      guard let now = directory.registered.first(where: { $0.name == plugin.name }), now.points.contains(point)
      else { return drop(key) }
      plugin = now
      if case .unknown = found { found = await lookUp() }
    }
  }

  private func drop(_ key: StopKey) {
    stops[key] = nil
    owedDropped += 1
  }

  /// - Returns: nil if it is settled; otherwise whether the plugin is owed the call now.
  private func attempt(_ plugin: Registered, _ point: HookPoint, _ found: Found, _ key: StopKey) async -> Bool? {
    switch found {
    case .unknown: return plugin.policy == .fail
    case .known(let told) where !Fields.isSkipped(told):
      do throws(Failure) {
        _ = try await ask(plugin, point, told, by: nil, readsAnswer: false)
        // A success about what is gone need not be remembered.
        if case .open(_, isForgotten: false) = stops[key] { stops[key] = .succeeded } else { stops[key] = nil }
        return nil
      } catch {
        return plugin.policy == .fail && !Fields.isExempt(told)
      }
    case .known, .gone:
      stops[key] = nil
      return nil
    }
  }

  private func sleep(until deadline: Instant) async {
    if left(until: deadline) > .zero { _ = await port.ask(.sleep, by: deadline) }
  }

  /// Something to be found out beside the call.
  // Unchecked, because it is confined to the test's own thread.
  final class Early: @unchecked Sendable {
    private let find: @Sendable () async -> Found
    private var first: Task<Found, Never>?

    init(_ executor: EventLoopExecutor, _ find: @escaping @Sendable () async -> Found) {
      self.find = find
      first = Task(executorPreference: executor) { await find() }
    }

    /// What was found at first; later, what is found then.
    func next() async -> Found {
      guard let task = first else { return await find() }
      first = nil
      return await task.value
    }

    func cancel() {
      first?.cancel()
      first = nil
    }
  }

  // Unchecked, because it is confined to the test's own thread.
  private final class Countdown: @unchecked Sendable {
    private var left: Int
    private var counted: Set<String> = []
    private var waiter: CheckedContinuation<Void, Never>?

    init(_ count: Int) { left = count }

    func count(_ name: String) {
      if counted.insert(name).inserted { left -= 1 }
      wake()
    }

    func end() {
      left = 0
      wake()
    }

    func wait() async {
      await withCheckedContinuation { continuation in
        waiter = continuation
        wake()
      }
    }

    private func wake() {
      guard left <= 0 else { return }
      waiter?.resume()
      waiter = nil
    }
  }
}
