internal import CRIMessages
internal import HookMessages
internal import SwiftProtobuf

/// What the simulated runtime, or the simulated plugin, says.
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

  /// What is asked at start says that there is nothing.
  var byMethod: [String: [UInt8]] {
    let pod = CRIRunPodSandboxResponse.with { $0.podSandboxID = String(repeating: "5a", count: 32) }
    return ["RunPodSandbox": encoded(pod), "Version": [], "ListPodSandbox": [], "ListContainers": []]
  }

  private func encoded(_ message: some Message) -> [UInt8] {
    do { return try message.serializedBytes() } catch { fatalError("simulated-runtime: \(error)") }
  }
}
