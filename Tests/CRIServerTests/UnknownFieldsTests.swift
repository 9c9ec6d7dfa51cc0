import CRIMessages
import CRIServer
import FuzzProperties
import HookMessages
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// CRI grows with every release of Kubernetes: whatever a request holds that this project has no name for is still in
/// it after plugins changed it, at every depth.
@Suite struct UnknownFieldsTests {
  typealias Field = WireMessage.Field

  /// One unknown field of each wire type; the first stands for an enum with a value that nobody knows yet.
  static let unknown: [Field] = [
    .varint(500, 77), Field(number: 501, value: .fixed64(.max)), Field(number: 502, value: .fixed32(7)),
    .text(503, "later"), .message(504, [.varint(1, 9), .text(2, "deep")]), .varint(505, 1), .varint(505, 2),
  ]

  /// Resources as kubelet sends them, with a huge page limit that has unknown fields too.
  static let resources: [Field] =
    [
      .varint(1, 100_000), .varint(3, 512), .text(6, "0-3"),
      .message(8, [.text(1, "2MB"), .varint(2, 1)] + unknown), .entry(9, "memory.oom.group", "1"),
    ] + unknown

  /// A PodSandboxConfig; hostname, log_directory, dns_config, port_mappings, windows and the sandbox's
  /// security_context and sysctls are fields of CRI that this project leaves alone.
  static let podConfig: [Field] =
    [
      .message(1, [.text(1, "web-0"), .text(2, "0a1b"), .text(3, "shop"), .varint(4, 1)] + unknown),
      .text(2, "web-0"), .text(3, "/var/log/pods/web-0"), .message(4, [.text(1, "10.0.0.10")]),
      .message(5, [.varint(1, 99), .varint(2, 80)]), .entry(6, "app", "web"), .entry(7, "team", "blue"),
      .message(8, podLinux), .message(9, []),
    ] + unknown

  static let podLinux: [Field] =
    [
      .text(1, "/kubepods/pod1"), .message(2, [.message(1, [.varint(1, 2)])]), .entry(3, "net.core.somaxconn", "1"),
      .message(4, resources), .message(5, resources),
    ] + unknown

  /// A ContainerConfig; image, command, args, mounts, devices, labels, CDI devices and stop_signal are left alone.
  static let containerConfig: [Field] =
    [
      .message(1, [.text(1, "nginx"), .varint(2, 1)] + unknown), .message(2, [.text(1, "sha256:0123")]),
      .text(3, "nginx"), .text(4, "-g"), .text(5, "/srv"),
      .message(6, [.text(1, "A"), .text(2, "1")] + unknown), .message(6, [.text(1, "A"), .text(2, "2")] + unknown),
      .message(7, [.text(1, "/data"), .varint(3, 1)]), .message(8, [.text(1, "/dev/fuse")]),
      .entry(9, "io.kubernetes.container.name", "nginx"), .entry(10, "size", "small"), .text(11, "nginx/0.log"),
      .message(15, containerLinux),
      .message(17, [.text(1, "vendor.com/gpu=0")]), .varint(18, 99),
    ] + unknown

  static let containerLinux: [Field] = [.message(1, resources), .message(2, [.varint(2, 1)])] + unknown

  /// Changes that touch every message that a request can have.
  static let changes: [Change] = [
    Change(.label(key: "app"), .text("changed")), Change(.annotation(key: "team"), .text("red")),
    Change(.annotation(key: "size"), .text("large")), Change(.cgroupParent, .text("/batch")),
    Change(.resource(.cpuShares), .number(2)), Change(.resource(.cpusetCPUs), .cleared),
    Change(.hugepageLimit(pageSize: "2MB"), .limit(4)), Change(.unified(key: "memory.oom.group"), .text("0")),
    Change(.env(key: "A"), .text("9")), Change(.env(key: "B"), .text("new")),
  ]

  @Test func runPodSandboxKeepsThem() throws {
    let before = WireMessage([.message(1, Self.podConfig), .text(2, "kata")] + Self.unknown)
    let after = try edited(before) { (request: inout CRIRunPodSandboxRequest) in try request.apply(Self.changes) }
    expectKept(before, after, except: [1])
    try expectPodConfig(in: #require(after.messages(1).first), changingResources: true)
  }

  @Test func createContainerKeepsThem() throws {
    let before = WireMessage(
      [.text(1, "pod"), .message(2, Self.containerConfig), .message(3, Self.podConfig)] + Self.unknown)
    let after = try edited(before) { (request: inout CRICreateContainerRequest) in
      request.sandboxConfig.apply(PodSandboxHookResponse(recording: Self.changes))
      request.apply(Self.changes)
    }
    expectKept(before, after, except: [2, 3])
    try expectPodConfig(in: #require(after.messages(3).first), changingResources: false)

    let config = try #require(after.messages(2).first)
    expectKept(WireMessage(Self.containerConfig), config, except: [6, 10, 15])
    let envs = try config.messages(6)
    #expect(envs.count == 3)
    for (env, value) in zip(envs, ["1", "9"]) {
      expectKept(WireMessage([.text(1, "A"), .text(2, value)] + Self.unknown), env, except: [])
    }
    let linux = try #require(config.messages(15).first)
    expectKept(WireMessage(Self.containerLinux), linux, except: [1])
    try expectResources(in: #require(linux.messages(1).first))
  }

  @Test func updateContainerResourcesKeepsThem() throws {
    let before = WireMessage(
      [.text(1, "c"), .message(2, Self.resources), .message(3, [.varint(1, 5)]), .entry(4, "size", "small")]
        + Self.unknown)
    let after = try edited(before) { (request: inout CRIUpdateContainerResourcesRequest) in
      request.apply(Self.changes)
    }
    expectKept(before, after, except: [2, 4])
    try expectResources(in: #require(after.messages(2).first))
  }

  @Test func theCallsThatOnlyNameAnObjectKeepThem() throws {
    let before = WireMessage([.text(1, "id"), .varint(2, 30)] + Self.unknown)
    let stoppedPod = try edited(before) { (request: inout CRIStopPodSandboxRequest) in request.podSandboxID += "x" }
    expectKept(before, stoppedPod, except: [1])
    let started = try edited(before) { (request: inout CRIStartContainerRequest) in request.containerID += "x" }
    expectKept(before, started, except: [1])
    let stopped = try edited(before) { (request: inout CRIStopContainerRequest) in request.timeout = 2 }
    expectKept(before, stopped, except: [2])
  }

  // MARK: Parts

  /// Decodes, edits and encodes, and takes the outcome apart.
  private func edited<Request: Message>(
    _ message: WireMessage, _ edit: (inout Request) throws -> Void
  ) throws -> WireMessage {
    var request = try Request(serializedBytes: message.bytes)
    try edit(&request)
    return try WireMessage(bytes: request.serializedBytes())
  }

  /// Every field is there with the same values in the same order, whatever is in between; those of `numbers`, which
  /// the edit has changed, are the caller's to look into.
  private func expectKept(
    _ before: WireMessage, _ after: WireMessage, except numbers: Set<UInt64>,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    func byNumber(_ message: WireMessage) -> [UInt64: [Field]] {
      Dictionary(grouping: message.fields.filter { !numbers.contains($0.number) }, by: \.number)
    }
    #expect(byNumber(after) == byNumber(before), sourceLocation: sourceLocation)
  }

  private func expectPodConfig(in config: WireMessage, changingResources: Bool) throws {
    expectKept(WireMessage(Self.podConfig), config, except: [6, 7, 8])
    let linux = try #require(config.messages(8).first)
    expectKept(WireMessage(Self.podLinux), linux, except: changingResources ? [1, 5] : [1])
    #expect(linux.fields.contains(.text(1, "/batch")))
    if changingResources { try expectResources(in: #require(linux.messages(5).first)) }
  }

  private func expectResources(in resources: WireMessage) throws {
    expectKept(WireMessage(Self.resources), resources, except: [3, 6, 8, 9])
    #expect(resources.fields.contains(.varint(3, 2)))
    let limit = try #require(resources.messages(8).first)
    expectKept(WireMessage([.text(1, "2MB"), .varint(2, 4)] + Self.unknown), limit, except: [])
  }
}
