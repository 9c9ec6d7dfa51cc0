internal import CRIMessages
internal import HookMessages
internal import SwiftProtobuf

/// What the simulated runtime, or the simulated plugin, says whatever it is asked.
struct Answers {
  /// The size of an answer's message.
  var bytes = 100
  var isPlugin = false

  /// A plugin adds one annotation, so that the request is changed and encoded anew. A runtime's message is one
  /// field that no message of CRI has: every call can decode it, and reads nothing out of it.
  var any: [UInt8] {
    if isPlugin { return encoded(PodSandboxHookResponse.with { $0.annotations = ["bench.example/asked": "yes"] }) }
    // The field's tag is two bytes, its length as many as the rest needs.
    let rest = max(bytes - 2, 1)
    let lengthBytes = (1...5).first { rest - $0 < 1 << (7 * $0) } ?? 5
    let length = max(rest - lengthBytes, 0)
    let varint = (0..<lengthBytes).map { UInt8(truncatingIfNeeded: length >> (7 * $0) | 0x80) }
    return [0xc2, 0x3e] + varint.dropLast() + [(varint.last ?? 0) & 0x7f] + [UInt8](repeating: 0x61, count: length)
  }

  /// What is asked at start says that there is nothing; what is created always has the same id.
  var byMethod: [String: [UInt8]] { isPlugin ? ofPlugin : ofRuntime }

  private var ofRuntime: [String: [UInt8]] {
    let pod = CRIRunPodSandboxResponse.with { $0.podSandboxID = String(repeating: "5a", count: 32) }
    let container = CRICreateContainerResponse.with { $0.containerID = String(repeating: "c0", count: 32) }
    return [
      "RunPodSandbox": encoded(pod), "CreateContainer": encoded(container),
      "Version": [], "ListPodSandbox": [], "ListContainers": [],
    ]
  }

  /// A container gets an annotation, CPU shares and an env before it is there; later the plugin has no opinion.
  private var ofPlugin: [String: [UInt8]] {
    let created = ContainerResourceHookResponse.with {
      $0.containerAnnotations = ["bench.example/asked": "yes"]
      $0.containerResources.cpuShares = 512
      $0.containerEnvs = ["BENCH_ASKED": "yes"]
    }
    let later = ["PreStartContainer", "PostStartContainer", "PostStopContainer", "PreUpdateContainerResources"]
    return Dictionary(uniqueKeysWithValues: later.map { ($0 + "Hook", []) })
      .merging(["PreCreateContainerHook": encoded(created), "PostStopPodSandboxHook": []]) { $1 }
  }
}

/// A message that encodes: those of the simulation are small and hold no wrong text.
func encoded(_ message: some Message) -> [UInt8] {
  do { return try message.serializedBytes() } catch { fatalError("simulated-runtime: \(error)") }
}
