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
