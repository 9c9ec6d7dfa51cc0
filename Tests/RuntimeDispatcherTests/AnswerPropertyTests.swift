import HookMessages
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// What holds for any request and any answer. The generator is seeded: a failure names its seed.
@Suite struct AnswerPropertyTests {
  @Test(arguments: 0..<200)
  func anEchoedAnswerIsNoChangeWhateverWasSent(seed: UInt64) throws {
    var random = SplitMix(seed)
    let sent = ContainerResourceHookRequest.random(&random)
    #expect(try sent.differences(to: sent.echo).isEmpty)
  }

  @Test(arguments: 0..<200)
  func whatHasBeenAppliedIsNoDifferenceAnyMore(seed: UInt64) throws {
    var random = SplitMix(seed)
    let sent = ContainerResourceHookRequest.random(&random)
    var answer = ContainerResourceHookRequest.random(&random).echo
    // An answer that moves the container is not whole-state, but would be if it were given once more.
    answer.podCgroupParent = sent.podCgroupParent
    var changed = sent
    try sent.differences(to: answer).forEach { changed.apply($0) }
    #expect(try changed.differences(to: answer).isEmpty)
  }

  @Test(arguments: 0..<200)
  func applyingTwiceIsApplyingOnce(seed: UInt64) throws {
    var random = SplitMix(seed)
    var once = ContainerResourceHookRequest.random(&random)
    let changes = try once.differences(to: ContainerResourceHookRequest.random(&random).echo)
    changes.forEach { once.apply($0) }
    var twice = once
    changes.forEach { twice.apply($0) }
    #expect(twice == once)
  }

  @Test(arguments: 0..<200)
  func whatHasBeenAppliedToAPodIsNoDifferenceAnyMore(seed: UInt64) throws {
    var random = SplitMix(seed)
    let pod = PodSandboxHookRequest.random(&random)
    let sent = EncodedPod(pod)
    var answer = PodSandboxHookRequest.random(&random).echo
    answer.cgroupParent = pod.cgroupParent
    var changed = sent
    try sent.differences(to: answer).forEach { changed.apply($0) }
    #expect(try changed.differences(to: answer).isEmpty)
    #expect(try sent.differences(to: pod.echo).isEmpty)
  }

  @Test(arguments: 0..<200)
  func onlyCpusetsAreEverCleared(seed: UInt64) throws {
    var random = SplitMix(seed)
    let sent = ContainerResourceHookRequest.random(&random)
    let answer = ContainerResourceHookRequest.random(&random).echo
    let cleared = try sent.differences(to: answer).filter { $0.value == .cleared }.map(\.field)
    #expect(Set(cleared).isSubset(of: [.resource(.cpusetCPUs), .resource(.cpusetMems)]))
  }
}
