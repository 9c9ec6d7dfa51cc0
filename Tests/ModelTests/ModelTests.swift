import FoundationEssentials
import Testing

/// PluginsManager, RuntimeDispatcher, Store and the calls of CRIServer, wired as in the daemon, against a reference
/// written from the design, under random schedules.
///
/// `MODEL_SEED` replays one schedule, `MODEL_RUNS` sets how many are tried.
@Suite struct ModelTests {
  private static let runs = ProcessInfo.processInfo.environment["MODEL_RUNS"].flatMap { Int($0) } ?? 60
  private static let seed = ProcessInfo.processInfo.environment["MODEL_SEED"].flatMap { UInt64($0) }
  private static let stepsARun = 150
  /// How often a schedule that failed is tried with steps taken out.
  private static let shorteningLimit = 120

  @Test func theModulesDoWhatTheReferenceDoes() throws {
    let first = Self.seed ?? .random(in: 0...UInt64.max / 2)
    let count = Self.seed == nil ? Self.runs : 1
    print("model: \(count) schedules of \(Self.stepsARun) steps from MODEL_SEED=\(first) on")
    var counts: [String: Int] = [:]
    var fingerprint = Fingerprint()
    for seed in first..<first + UInt64(count) {
      let schedule = Step.schedule(of: Self.stepsARun, seed: seed)
      let world = try Self.run(schedule)
      counts.merge(world.counts) { $0 + $1 }
      world.story.forEach { fingerprint.add($0) }
      guard world.difference != nil else { continue }
      let (shortened, story, difference) = try Self.shorten(schedule)
      Issue.record(
        """
        MODEL_SEED=\(seed), shortened to \(shortened.count) of \(schedule.count) steps:
        \(story.joined(separator: "\n"))
        \(difference)
        """)
      return
    }
    for (what, count) in counts.sorted(by: { $0.key < $1.key }) { print("model: \(count) times \(what)") }
    if let seed = Self.seed { print("model: the story of \(seed) is \(fingerprint)") }
  }

  /// Whatever the order is in which dictionaries and sets have their elements, which is another one in each of them.
  @Test(arguments: Self.seed.map { [$0] } ?? [1, 2, 3, 4, 5])
  func aSeedMakesTheSameStoryTwice(seed: UInt64) throws {
    let schedule = Step.schedule(of: Self.stepsARun, seed: seed)
    let (first, second) = (try Self.run(schedule), try Self.run(schedule))
    #expect(first.story.count > Self.stepsARun)
    for (number, (event, again)) in zip(first.story, second.story).enumerated() where event != again {
      Issue.record("MODEL_SEED=\(seed), event \(number):\n  once  \(event)\n  twice \(again)")
      return
    }
    #expect(first.story.count == second.story.count)
    #expect(first.counts == second.counts)
    #expect(first.difference == second.difference)
  }

  /// Runs a schedule, until both sides differ.
  private static func run(_ schedule: [Step]) throws -> World {
    let world = try World()
    for step in schedule { try world.perform(step) }
    world.settleDown()
    world.end()
    return world
  }

  /// Takes steps out as long as both sides still differ in something.
  private static func shorten(
    _ schedule: [Step]
  ) throws -> (schedule: [Step], story: [String], difference: String) {
    var shortest = schedule
    var world = try run(schedule)
    var tries = 0
    var length = schedule.count / 2
    while length > 0 {
      var start = 0
      while start < shortest.count, tries < shorteningLimit {
        tries += 1
        var shorter = shortest
        shorter.removeSubrange(start..<min(start + length, shorter.count))
        let result = try run(shorter)
        if result.difference != nil {
          (shortest, world) = (shorter, result)
        } else {
          start += length
        }
      }
      length /= 2
    }
    return (shortest, world.story, world.difference ?? "no difference any more: not the same twice")
  }
}

/// A short name for a story, the same in every process (the FNV-1a algorithm).
private struct Fingerprint: CustomStringConvertible {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ event: String) {
    for byte in Array(event.utf8) + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  var description: String { String(hash, radix: 16) }
}
