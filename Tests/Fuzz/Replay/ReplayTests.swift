import FuzzProperties
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The committed inputs, without a fuzzer: the seeds it starts from, and whatever it found and was mended.
@Suite struct ReplayTests {
  @Test(arguments: fuzzTargetNames)
  func everyCommittedInputHolds(name: String) throws {
    let inputs = try Self.inputs(of: name)
    #expect(!inputs.isEmpty, "no seeds: Tests/Fuzz/seeds makes them")
    for input in inputs { Self.check(name, input.bytes, of: input) }
  }

  @Test(arguments: fuzzTargetNames)
  func soDoesEveryBeginningOfOne(name: String) throws {
    for input in try Self.inputs(of: name) {
      for end in stride(from: 0, to: input.bytes.count, by: 1 + input.bytes.count / 16) {
        Self.check(name, Array(input.bytes[..<end]), of: input)
      }
    }
  }

  /// What plugins may change is read without decoding it, or is edited and encoded anew: the bytes are changed at random
  /// here, the same way every time, so that every run compares much that nobody thought of with what must hold.
  @Test(arguments: ["run-pod-sandbox", "create-container", "update-container-resources"])
  func hookedRequestsHoldWithAnyBytesChanged(name: String) throws {
    var random = SplitMix(seed: 1)
    for input in try Self.inputs(of: name) where !input.bytes.isEmpty {
      for _ in 0..<200 {
        var bytes = input.bytes
        for _ in 0...random.next() % 3 {
          let place = Int(random.next() % UInt64(bytes.count))
          switch random.next() % 3 {
          case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
          case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
          default: bytes.swapAt(place, Int(random.next() % UInt64(bytes.count)))
          }
        }
        Self.check(name, bytes, of: input)
      }
    }
  }

  @Test func everyFolderIsOfATarget() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/Corpus")
    #expect(Set(folders) == Set(fuzzTargetNames))
  }

  private static func check(_ target: String, _ bytes: [UInt8], of input: Input) {
    do {
      for one in fuzzTargets where one.name == target { try one.check(bytes) }
    } catch {
      Issue.record("the first \(bytes.count) bytes of Tests/Fuzz/\(input.path): \(error)")
    }
  }

  /// The SplitMix64 algorithm.
  private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

  private struct Input {
    var path: String
    var bytes: [UInt8]
  }

  /// Tests/Fuzz, two folders up from this file.
  private static let root = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()

  private static func inputs(of target: String) throws -> [Input] {
    try ["Corpus", "Crashes"].flatMap { folder -> [Input] in
      let path = "\(folder)/\(target)"
      let isThere = FileManager.default.fileExists(atPath: "\(root)/\(path)")
      let names = isThere ? try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(path)") : []
      return try names.sorted().map { name in
        let data = try Data(contentsOf: URL(filePath: "\(root)/\(path)/\(name)"))
        return Input(path: "\(path)/\(name)", bytes: Array(data))
      }
    }
  }
}
