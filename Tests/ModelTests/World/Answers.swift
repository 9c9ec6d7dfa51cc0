import GRPC
import HTTP2
import PluginsManager
import RuntimeDispatcher

/// What plugins answer.
enum PluginAnswers {
  /// How a plugin is at the moment.
  enum Mood: String {
    case well, hung, down
  }

  static func random(to told: Fields, at point: HookPoint, _ random: inout SeededGenerator) -> Reply {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<3: return .answer([:])
    case 3..<6: return .answer(echo(told, at: point))
    case 6..<10: return .answer(wishes(at: point, &random))
    case 10..<13: return .answer(echo(told, at: point).overlaid(by: wishes(at: point, &random)))
    case 13:
      // Everything, but for the cpusets.
      return .answer(echo(told, at: point).filter { !Fields.cpusets.contains($0.key) })
    case 14: return .undecodable
    default: return .pluginFails(random.pick(failures) ?? .badAnswer("none"))
    }
  }

  private static let failures: [HookCallError] =
    [
      .socketUnavailable("absent"), .socketUnavailable("refused"), .wrongOwner(uid: 7), .connectionBroken("reset"),
      .connectionBroken("closed"), .badAnswer("two messages"), .badAnswer("over 4 MiB"),
    ] + StatusCode.allCases.map { .status(Status($0, "says the plugin")) }

  /// What the plugin was told, of what the answer has room for.
  private static func echo(_ told: Fields, at point: HookPoint) -> Fields {
    told.filter { name, _ in
      let kind = name.split(separator: " ")[0]
      return Fields.isResource(name) || kind == "annotation" || kind == "cgroup"
        || kind == (point.isAboutPod ? "label" : "env")
    }
  }

  private static func wishes(at point: HookPoint, _ random: inout SeededGenerator) -> Fields {
    var wishes = [
      ("cpu_shares", ["3", "5", "7"]), ("memory", ["4096", "8192"]), ("cpus", ["0-3", "4-7"]), ("oom", ["900", "-5"]),
      ("annotation a1", ["x", "y"]), ("annotation a2", ["x", "y"]), ("annotation io.kubernetes.pod.x", ["x"]),
      ("annotation \(Fields.sourceKey)", ["file"]), ("cgroup", ["/batch", "/batch", "batch.slice"]),
    ]
    if point.isAboutPod {
      wishes += [("label l1", ["x", "y"]), ("label l2", ["x", "y"]), ("label io.kubernetes.app", ["y"])]
    } else {
      wishes += [("env E1", ["x", "y"]), ("env E2", ["x", "y"]), ("env E=", ["x"])]
    }
    var wanted: Fields = [:]
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      // What is most often permitted is most often wanted.
      let some = random.isOne(in: 2) ? Array(wishes.prefix(3)) : wishes
      guard let (name, values) = random.pick(some) else { continue }
      wanted[name] = random.pick(values)
    }
    return wanted
  }
}

extension SimulatedRuntime {
  /// What becomes of a call: as a rule it is done.
  mutating func random(_ ask: Ask, _ random: inout SeededGenerator) -> Reply {
    let fate = Int.random(in: 0..<20, using: &random)
    switch ask.about {
    case .runtime(let verb, let fields):
      switch fate {
      case 0: return .status(random.pick([.internalError, .unknown, .failedPrecondition]) ?? .unknown, id: "")
      case 1: return .runtimeFails(.notProcessed)
      case 2: return .runtimeFails(.unreachable(path: "/runtime.sock", reason: "refused"))
      case 3, 4:
        // Nobody knows whether it was done.
        if random.isOne(in: 2) { _ = execute(verb, fields) }
        let losses: [Reply] = [
          .runtimeFails(.connectionLost), .runtimeFails(.reset(.internalError)), .status(.unavailable, id: ""),
          .status(.deadlineExceeded, id: ""), .status(.cancelled, id: ""),
        ]
        return random.pick(losses) ?? .timeUp
      default: return execute(verb, fields)
      }
    case .query(let query):
      if fate == 0 { return .status(random.pick([.unavailable, .internalError]) ?? .unknown, id: "") }
      if fate == 1 { return .runtimeFails(.connectionLost) }
      return answer(query)
    case .hook, .sleep: return .timeUp
    }
  }

  func answer(_ query: Ask.Query) -> Reply {
    switch query {
    case .pods: .ids(ids.filter(\.isPod))
    case .containers: .ids(ids.filter { !$0.isPod })
    case .pod(let id), .container(let id): objects[id].map { .object($0) } ?? .status(.notFound, id: "")
    }
  }
}
