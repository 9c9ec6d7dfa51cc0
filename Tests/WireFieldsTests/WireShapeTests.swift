import HookMessages
import SwiftProtobuf
import Testing
import WireFields

/// Checking encoded messages, and taking over what is known of them.
@Suite struct WireShapeTests {
  private let metadata = WireShape([1: .text, 2: .text, 3: .text, 4: .number])
  private var pod: WireShape { WireShape([1: .message(metadata), 3: .messages(.entry)]) }

  @Test func aPlainMessageIsAdmitted() throws {
    let message: [UInt8] = try PodSandboxHookRequest.with {
      $0.podMeta = .with { ($0.name, $0.attempt) = ("é", 3) }
      $0.labels = ["a": "1", "b": "2"]
    }.serializedBytes()
    #expect(pod.admits(message))
    #expect(try pod.plain(message, as: PodSandboxHookRequest.self) == message)
  }

  @Test func aTextThatIsNotUTF8IsRefused() {
    let message: [UInt8] = [0x1a, 3, 0x0a, 1, 0xff]
    #expect(!pod.admits(message))
    #expect(throws: BinaryDecodingError.self) { try pod.plain(message, as: PodSandboxHookRequest.self) }
  }

  @Test func bytesThatAreNoMessageAreRefused() {
    #expect(!pod.admits([0x0a, 2, 0x0a]))
    #expect(throws: BinaryDecodingError.self) { try pod.plain([0x0a, 2, 0x0a], as: PodSandboxHookRequest.self) }
  }

  @Test func aFieldOfAnotherTypeOnTheWireIsUnknown() {
    // 1 as a number, 3 as fixed32: both are fields that somebody else knows.
    #expect(pod.admits([0x08, 1, 0x1d, 1, 2, 3, 4]))
  }

  @Test func aKeyOfAnotherTypeIsNone() {
    // 3: {1: 8, 1: 0, 2: "b"}. swift-protobuf, in a map's entry, would take 8 and 0 for tags.
    let message: [UInt8] = [0x1a, 7, 0x08, 8, 0x08, 0, 0x12, 1, 0x62]
    #expect(pod.admits(message))
    #expect(message.entryKey(in: 2..<9).isEmpty && message.entryText(in: 2..<9) == 8..<9)
  }

  @Test func twoHalvesOfAMessageAreMerged() throws {
    // 1: {1: "a", 4: 1}, 1: {2: "u", 4: 2}
    let message: [UInt8] = [0x0a, 5, 0x0a, 1, 0x61, 0x20, 1, 0x0a, 5, 0x12, 1, 0x75, 0x20, 2]
    #expect(!pod.admits(message))
    let plain = try pod.plain(message, as: PodSandboxHookRequest.self)
    #expect(pod.admits(plain))
    let meta = try PodSandboxHookRequest(serializedBytes: plain).podMeta
    #expect(meta == .with { ($0.name, $0.uid, $0.attempt) = ("a", "u", 2) })
  }

  @Test func whatIsKnownIsTakenOverUnderAnotherNumber() {
    // {1: "a", 9: 7, 4: 1}
    let message: [UInt8] = [0x0a, 1, 0x61, 0x48, 7, 0x20, 1]
    var other: [UInt8] = [0x08, 9]
    metadata.append(message, in: message.indices, to: &other, under: 2)
    #expect(other == [0x08, 9, 0x12, 5, 0x0a, 1, 0x61, 0x20, 1])
    // Nothing unknown: as it is.
    other = []
    metadata.append(message, in: 0..<3, to: &other, under: 2)
    #expect(other == [0x12, 3, 0x0a, 1, 0x61])
  }

  @Test func whatIsUnknownDeepInsideIsLeftOutToo() {
    // {3: {1: "a", 3: 5, 2: "b"}}
    let message: [UInt8] = [0x1a, 8, 0x0a, 1, 0x61, 0x18, 5, 0x12, 1, 0x62]
    var other: [UInt8] = []
    pod.append(message, in: message.indices, to: &other, under: 1)
    #expect(other == [0x0a, 8, 0x1a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x62])
  }
}
