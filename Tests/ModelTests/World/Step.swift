/// One thing that the world does. What exactly is drawn from `salt` and from what is there at that moment, so a schedule
/// from which steps are taken out is still one.
struct Step: Sendable {
  enum Kind: String, Sendable, CaseIterable {
    case answers = "somebody who was asked answers"
    case kubeletCalls = "kubelet calls"
    case timePasses = "time passes"
    case fileChanges = "a registration file changes"
    case directoryIsRead = "the directory is read"
    case pluginChanges = "a plugin hangs, goes or comes back"
    case kubeletLeaves = "kubelet leaves a call"
    case runtimeRestarts = "the runtime restarts"

    /// How often it happens, of 100.
    fileprivate var weight: Int {
      switch self {
      case .answers: 50
      case .kubeletCalls: 26
      case .timePasses: 7
      case .fileChanges: 4
      case .directoryIsRead: 3
      case .pluginChanges: 4
      case .kubeletLeaves: 4
      case .runtimeRestarts: 2
      }
    }
  }

  var kind: Kind
  var salt: UInt64

  /// A schedule; the same for the same seed.
  static func schedule(of count: Int, seed: UInt64) -> [Step] {
    var random = SeededGenerator(seed)
    let kinds = Kind.allCases.flatMap { Array(repeating: $0, count: $0.weight) }
    // Plugins first: there is little to see without.
    let start: [Kind] = [.fileChanges, .fileChanges, .fileChanges, .fileChanges, .directoryIsRead]
    return (0..<count).map { number in
      Step(kind: number < start.count ? start[number] : random.pick(kinds) ?? .answers, salt: random.next())
    }
  }
}

/// A small seeded generator (the SplitMix64 algorithm).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func pick<T>(_ values: some Collection<T>) -> T? { values.randomElement(using: &self) }

  /// True once in `count` times.
  mutating func isOne(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
}
