import CRIServer
import GRPC
import HTTP2
import NIOCore
import NIOEmbedded
import PluginsManager
import RuntimeDispatcher

/// Plugins, runtime, kubelet, files and time, and between them the real modules and the reference. Each step is one
/// event; after it everything runs until it waits for the world again, and then both sides must agree.
// Unchecked, because it is confined to the test's own thread.
final class World: @unchecked Sendable {
  /// A call of kubelet's that is under way.
  final class Running: @unchecked Sendable {
    let number: Int
    let call: KubeletCall
    var real: Verdict?
    var reference: Verdict?
    var leave: () -> Void = {}

    init(_ number: Int, _ call: KubeletCall) {
      self.number = number
      self.call = call
    }
  }

  /// What the real modules have logged since it was last told.
  private final class Log: @unchecked Sendable {
    var lines: [String] = []
  }

  private let loop = EmbeddedEventLoop()
  private let clock = WorldClock()
  private let outside = Outside()
  private let log = Log()
  private let files: RegistrationFiles
  private let real: RealSystem
  private let reference: Reference
  private var runtime = SimulatedRuntime()
  private var kubelet = Kubelet()
  private var moods: [String: PluginAnswers.Mood] = [:]
  private var running: [Running] = []
  private var calls = 0
  /// Rebuilds under way: at most one on each side.
  private var rebuildsReal = 0
  private var rebuildsReference = 0
  private var wantsRebuild = false
  private var owedBefore = 0
  /// What has happened, to be read.
  private(set) var story: [String] = []
  /// How often what has happened.
  private(set) var counts: [String: Int] = [:]
  /// In what the two sides differ; nothing happens any more when they do.
  private(set) var difference: String?

  private static let pluginNames = ["a", "b", "c"]

  init() throws {
    files = try RegistrationFiles()
    let log = StoryLog.logger { [log] in log.lines.append($0) }
    real = RealSystem(directory: files.path, loop: loop, clock: clock, outside: outside, logger: log)
    reference = Reference(clock: clock, outside: outside, executor: real.group.executor)
    loop.run()
  }

  /// Nothing may wait when the world ends.
  func end() {
    real.stop()
    reference.hasEnded = true
    for call in running { call.leave() }
    loop.run()
    for port in [real.port, reference.port] {
      while let waiting = port.waiting.first {
        port.reply(.cancelled, to: waiting.ask)
        loop.run()
      }
    }
    // What is scheduled on it would keep it for good, and it the rest.
    loop.advanceTime(by: .hours(1))
  }

  // MARK: Steps

  func perform(_ step: Step) throws {
    guard difference == nil else { return }
    var random = SeededGenerator(step.salt)
    switch step.kind {
    case .answers: answerSomebody(&random)
    case .kubeletCalls: kubeletCalls(&random)
    case .timePasses:
      let durations: [Duration] = [
        .milliseconds(7), .milliseconds(300), .seconds(1), .milliseconds(2100), .milliseconds(5100), .seconds(31),
      ]
      advance(by: random.pick(durations) ?? .zero)
    case .fileChanges: try changeFile(&random)
    case .directoryIsRead: look()
    case .pluginChanges: changePlugin(&random)
    case .kubeletLeaves:
      guard let call = random.pick(running) else { return }
      tell("kubelet leaves call \(call.number)")
      call.leave()
    case .runtimeRestarts: restartRuntime(&random)
    }
    check()
  }

  private func tell(_ event: String) { story.append("\(clock.now - clock.start): \(event)") }

  private func count(_ what: String) { counts[what, default: 0] += 1 }

  private func answerSomebody(_ random: inout SeededGenerator) {
    let asks = reference.port.waiting.map(\.ask).filter { ask in
      switch ask.about {
      case .hook(let plugin, _, _, _): moods[plugin] != .hung
      case .runtime, .query: true
      case .sleep: false
      }
    }
    guard let ask = random.pick(asks) else { return }
    switch ask.about {
    case .hook(let plugin, _, _, _) where moods[plugin] == .down:
      answer(ask, .pluginFails(.socketUnavailable("down")))
    case .hook(_, _, let point, let told): answer(ask, PluginAnswers.random(to: told, at: point, &random))
    case .runtime, .query: answer(ask, runtime.random(ask, &random))
    case .sleep: break
    }
  }

  /// Answers both sides.
  private func answer(_ ask: Ask, _ reply: Reply) {
    tell("\(ask) -> \(reply)")
    switch (ask.about, reply) {
    case (.hook, .answer): count("plugins answered")
    case (.hook, .timeUp): count("plugins did not answer in time")
    case (.hook, _): count("plugins failed otherwise")
    case (.runtime, .status(.ok, _)): count("the runtime did it")
    case (.runtime, _): count("the runtime failed or refused")
    case (.query, _): count("the runtime was read")
    case (.sleep, _): count("pauses ended")
    }
    if case .runtime(_, let fields) = ask.about, case .status(.ok, let id) = reply, let object = runtime.objects[id] {
      made[fields["name"] ?? ""] = object.id
    }
    real.port.reply(reply, to: ask)
    reference.port.reply(reply, to: ask)
    check()
  }

  /// What the runtime has made, by name.
  private var made: [String: RuntimeObject.ID] = [:]

  private func kubeletCalls(_ random: inout SeededGenerator) {
    let busy = Set(running.compactMap { $0.call.fields["id"] })
    if random.isOne(in: 8) { return findObjects() }
    for _ in 0..<8 {
      if let call = kubelet.next(&random, busy: busy) { return begin(call) }
    }
  }

  /// kubelet lists what the runtime has.
  private func findObjects() {
    let beingMade = Set(running.compactMap { $0.call.fields["name"] })
    for id in runtime.ids where kubelet.objects[id.id] == nil {
      guard let object = runtime.objects[id.id], !beingMade.contains(object.config["name"] ?? "") else { continue }
      kubelet.learned(id, object.config)
      tell("kubelet finds \(id.id)")
    }
  }

  private func begin(_ call: KubeletCall) {
    calls += 1
    let one = Running(calls, call)
    tell("call \(calls): \(call.verb.rawValue) \(call.fields.text), deadline \(call.timeout, default: "none")")
    running.append(one)
    let leaveReal = real.begin(call) { one.real = $0 }
    let leaveReference = reference.begin(call) { one.reference = $0 }
    one.leave = {
      leaveReal()
      leaveReference()
    }
    check()
  }

  /// Lets time pass; whoever is due on the way is woken, one after the other.
  private func advance(by duration: Duration) {
    tell("\(duration) pass")
    let end = clock.now + duration
    while difference == nil,
      let next = reference.port.waiting.map(\.ask).filter({ $0.due.map { $0 <= end } ?? false })
        .min(by: { ($0.due ?? end) < ($1.due ?? end) })
    {
      move(to: next.due ?? end)
      answer(next, .timeUp)
    }
    move(to: end)
  }

  private func move(to instant: ContinuousClock.Instant) {
    guard clock.now < instant else { return }
    loop.advanceTime(by: TimeAmount(clock.now.duration(to: instant)))
    clock.now = instant
  }

  private func changeFile(_ random: inout SeededGenerator) throws {
    guard let name = random.pick(Self.pluginNames), let other = random.pick(Self.pluginNames) else { return }
    let isThere = reference.directory.files[name] != nil
    switch Int.random(in: 0..<8, using: &random) {
    case 0 where isThere:
      tell("\(name).json is deleted")
      try files.delete(name)
      reference.directory.delete(name)
    case 1 where isThere && name != other:
      tell("\(name).json is renamed to \(other).json")
      try files.rename(name, to: other)
      reference.directory.rename(name, to: other)
    default:
      let content = FileContent.random(&random)
      tell("\(name).json is written: \(content.text)")
      try files.write(content, to: name)
      reference.directory.write(content, to: name)
    }
    if random.isOne(in: 2) { look() }
  }

  private func look() {
    tell("the directory is read")
    count("the directory was read")
    real.look()
    reference.directory.look()
    check()
  }

  private func changePlugin(_ random: inout SeededGenerator) {
    let moods: [PluginAnswers.Mood] = [.well, .well, .well, .hung, .down]
    guard let name = random.pick(Self.pluginNames), let mood = random.pick(moods) else { return }
    tell("plugin \(name) is \(mood.rawValue)")
    self.moods[name] = mood
    // When a new socket is noticed in the middle of a row of deadlines is nobody's promise.
    let isAsked = reference.port.waiting.contains {
      if case .hook(name, _, _, _) = $0.ask.about { true } else { false }
    }
    if !isAsked, reference.breakers[name]?.isInARow != true, mood == .well {
      tell("plugin \(name) has a new socket")
      outside.sockets[name, default: 0] += 1
    }
  }

  private func restartRuntime(_ random: inout SeededGenerator) {
    count("the runtime restarted")
    tell("the runtime restarts")
    for ask in reference.port.waiting.map(\.ask) {
      switch ask.about {
      case .runtime(let verb, let fields):
        if random.isOne(in: 2) { _ = runtime.execute(verb, fields) }
        answer(ask, .runtimeFails(.connectionLost))
      case .query: answer(ask, .runtimeFails(.connectionLost))
      case .hook, .sleep: break
      }
    }
    wantsRebuild = true
  }

  private func rebuildIfWanted() {
    guard wantsRebuild, rebuildsReal == 0, rebuildsReference == 0 else { return }
    wantsRebuild = false
    rebuildsReal = 1
    rebuildsReference = 1
    real.rebuild { self.rebuildsReal = 0 }
    Task(executorPreference: real.group.executor) {
      await self.reference.rebuild()
      self.rebuildsReference = 0
    }
    loop.run()
  }

  // MARK: The end

  /// Everybody is well again, kubelet removes everything: then nothing may be left.
  func settleDown() {
    moods = [:]
    tell("everybody is well")
    settle()
    for isPod in [false, true] {
      findObjects()
      for object in kubelet.objects.values.sorted(by: { $0.id < $1.id }) where object.id.isPod == isPod {
        begin(KubeletCall(verb: isPod ? .stopPodSandbox : .stopContainer, fields: ["id": object.id.id]))
        settle()
        begin(KubeletCall(verb: isPod ? .removePodSandbox : .removeContainer, fields: ["id": object.id.id]))
        settle()
      }
    }
    guard difference == nil else { return }
    let left = real.remains
    if left != Remains() { differ("when everything is gone, something is left: \(left)") }
  }

  private func settle() {
    for _ in 0..<10_000 where difference == nil {
      let asks = reference.port.waiting.map(\.ask)
      guard let ask = asks.first(where: { $0.about != .sleep }) ?? asks.min(by: { isDue($0, before: $1) }) else {
        if running.isEmpty { return }
        return differ("\(running.map(\.number)) never end")
      }
      switch ask.about {
      case .hook: answer(ask, .answer([:]))
      case .runtime(let verb, let fields): answer(ask, runtime.execute(verb, fields))
      case .query(let query): answer(ask, runtime.answer(query))
      case .sleep: advance(by: max((ask.due ?? clock.now) - clock.now, .zero))
      }
    }
    if difference == nil { differ("it never comes to rest") }
  }

  private func isDue(_ ask: Ask, before other: Ask) -> Bool { (ask.due ?? clock.now) < (other.due ?? clock.now) }

  // MARK: The comparison

  private func differ(_ text: String) { difference = difference ?? text }

  private func check() {
    loop.run()
    rebuildIfWanted()
    // The directory has another name in each world.
    log.lines.forEach { tell("  log: \($0.replacing(files.path, with: "hookserver.d"))") }
    log.lines = []
    guard difference == nil else { return }
    let ended = running.filter { $0.real != nil || $0.reference != nil }
    for call in ended where call.real != call.reference {
      return differ(
        "call \(call.number) ended with \(call.real, default: "nothing yet"), the reference says "
          + "\(call.reference, default: "nothing yet")")
    }
    running.removeAll { $0.real != nil }
    for call in ended {
      guard let verdict = call.real else { continue }
      tell("call \(call.number) ends: \(verdict)")
      switch verdict {
      case .runtime: count("calls ended with the runtime's answer")
      case .refused: count("calls were refused")
      case .ours, .reset: count("calls ended otherwise")
      }
      end(call)
    }
    compare("waiting", real.port.waiting.map(\.ask).counted, reference.port.waiting.map(\.ask).counted)
    compare("registered", real.registrations, reference.directory.registered)
    compare("records", real.records, reference.records.kept)
    if reference.owed > owedBefore { count("calls became owed") }
    owedBefore = reference.owed
    compare("owed", real.dispatcher.counters.owed, reference.owed)
    compare("owed and given up", real.dispatcher.counters.owedDropped, reference.owedDropped)
    compare("remembered stops", real.remains.stops, reference.stops.count)
    compare("rebuilds", rebuildsReal, rebuildsReference)
  }

  private func end(_ call: Running) {
    guard let verdict = call.real else { return }
    kubelet.ended(call.call, verdict)
    guard verdict == .runtime(.ok), let name = call.call.fields["name"], let id = made[name] else { return }
    kubelet.learned(id, call.call.fields)
  }

  private func compare<Value: Equatable>(_ what: String, _ real: Value, _ reference: Value) {
    if real != reference { differ("\(what):\n  real      \(real)\n  reference \(reference)") }
  }

  private func compare<Key: Comparable & Hashable, Value: Equatable>(
    _ what: String, _ real: [Key: Value], _ reference: [Key: Value]
  ) {
    let keys = Set(real.keys).union(reference.keys).sorted().filter { real[$0] != reference[$0] }
    guard !keys.isEmpty else { return }
    let lines = keys.map { key in
      "  \(key)\n    real      \(real[key], default: "nothing")\n    reference \(reference[key], default: "nothing")"
    }
    differ("\(what):\n\(lines.joined(separator: "\n"))")
  }
}

extension [Ask] {
  /// How often each is there, to be compared and read.
  fileprivate var counted: [String: Int] {
    reduce(into: [:]) { $0["\($1), until \($1.due.map { "\($0)" } ?? "for ever")", default: 0] += 1 }
  }
}
