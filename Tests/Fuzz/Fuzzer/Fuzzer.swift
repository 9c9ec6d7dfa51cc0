import FuzzProperties

#if canImport(Glibc)
  import Glibc
#endif

/// The target that the environment names. The fuzzer's own library has `main`.
private let target: any FuzzTarget.Type = {
  let wanted = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = fuzzTargets.first(where: { $0.name == wanted }) else {
    fatalError("FUZZ_TARGET is one of \(fuzzTargetNames.joined(separator: ", "))")
  }
  return target
}()

/// libFuzzer calls it with each input; to fail is to trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  do {
    try target.check(Array(UnsafeBufferPointer(start: data, count: count)))
  } catch {
    fatalError("\(target.name): \(error)")
  }
  return 0
}
