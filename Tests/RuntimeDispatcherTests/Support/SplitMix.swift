import HookMessages
import RuntimeDispatcher
import SwiftProtobuf

/// A small seeded generator (the SplitMix64 algorithm).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A few values, the empty one among them, so that equal ones are frequent.
  mutating func text() -> String { ["", "0", "0-3", "x"].randomElement(using: &self) ?? "" }
  mutating func number() -> Int64 { [0, 0, -1, 7].randomElement(using: &self) ?? 0 }
  mutating func map() -> [String: String] {
    var map: [String: String] = [:]
    for key in ["a", "b", "c"] where Bool.random(using: &self) { map[key] = text() }
    return map
  }
}

extension LinuxContainerResources {
  static func random(_ random: inout SplitMix) -> LinuxContainerResources {
    var resources = LinuxContainerResources()
    resources.cpuPeriod = random.number()
    resources.cpuQuota = random.number()
    resources.cpuShares = random.number()
    resources.memoryLimitInBytes = random.number()
    resources.oomScoreAdj = random.number()
    resources.cpusetCpus = random.text()
    resources.cpusetMems = random.text()
    resources.memorySwapLimitInBytes = random.number()
    resources.unified = random.map()
    for size in ["2MB", "1GB", "2MB"] where Bool.random(using: &random) {
      resources.hugepageLimits.append(
        .with {
          $0.pageSize = size; $0.limit = UInt64.random(in: 0...2, using: &random)
        })
    }
    return resources
  }
}

extension ContainerResourceHookRequest {
  static func random(_ random: inout SplitMix) -> ContainerResourceHookRequest {
    var request = ContainerResourceHookRequest()
    request.containerAnnotations = random.map()
    request.containerEnvs = random.map()
    request.podCgroupParent = ["", "/p", "/p", "/q"].randomElement(using: &random) ?? ""
    if Int.random(in: 0..<4, using: &random) > 0 { request.containerResources = .random(&random) }
    return request
  }
}

extension PodSandboxHookRequest {
  static func random(_ random: inout SplitMix) -> PodSandboxHookRequest {
    var request = PodSandboxHookRequest()
    request.labels = random.map()
    request.annotations = random.map()
    request.cgroupParent = ["", "/p", "/p", "/q"].randomElement(using: &random) ?? ""
    if Int.random(in: 0..<4, using: &random) > 0 { request.resources = .random(&random) }
    return request
  }
}
