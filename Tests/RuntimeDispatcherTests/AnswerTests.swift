import HookMessages
import RuntimeDispatcher
import SwiftProtobuf
import Testing

/// Design, "What an answer means".
@Suite struct AnswerTests {
  private let sent = ContainerResourceHookRequest.example

  @Test func anEchoedAnswerIsNoChange() throws {
    #expect(try sent.differences(to: sent.echo).isEmpty)
    #expect(try EncodedPod(.example).differences(to: PodSandboxHookRequest.example.echo).isEmpty)
  }

  @Test func anEmptyAnswerIsNoChange() throws {
    #expect(try sent.differences(to: .init()).isEmpty)
    #expect(try sent.differences(to: .with { $0.containerResources = .init() }).isEmpty)
  }

  @Test func aDifferentNonEmptyFieldIsAChange() throws {
    let answer = ContainerResourceHookResponse.with {
      $0.containerAnnotations = ["team": "blue", "new": ""]
      $0.podCgroupParent = "kubepods-burstable-pod2.slice"
      $0.containerResources = .with {
        $0.cpuPeriod = 1; $0.cpuQuota = -1; $0.cpuShares = 3; $0.memoryLimitInBytes = 4; $0.oomScoreAdj = -5
        $0.cpusetCpus = "6"; $0.cpusetMems = "7"; $0.memorySwapLimitInBytes = 8
        $0.unified = ["memory.high": "9"]
      }
      $0.containerEnvs = ["HOME": "/home"]
    }
    #expect(
      try sent.differences(to: answer) == [
        Change(.annotation(key: "new"), .text("")),
        Change(.annotation(key: "team"), .text("blue")),
        Change(.cgroupParent, .text("kubepods-burstable-pod2.slice")),
        Change(.resource(.cpuPeriod), .number(1)),
        Change(.resource(.cpuQuota), .number(-1)),
        Change(.resource(.cpuShares), .number(3)),
        Change(.resource(.memoryLimit), .number(4)),
        Change(.resource(.oomScoreAdj), .number(-5)),
        Change(.resource(.cpusetCPUs), .text("6")),
        Change(.resource(.cpusetMems), .text("7")),
        Change(.resource(.memorySwapLimit), .number(8)),
        Change(.unified(key: "memory.high"), .text("9")),
        Change(.env(key: "HOME"), .text("/home")),
      ])
  }

  @Test func aPodAnswerChangesLabelsAnnotationsCgroupParentAndResources() throws {
    let answer = PodSandboxHookResponse.with {
      $0.labels = ["app": "api"]
      $0.annotations = ["team": "blue"]
      $0.cgroupParent = "/kubepods/pod2"
      $0.resources = .with { $0.cpuShares = 9 }
    }
    #expect(
      try EncodedPod(.example).differences(to: answer) == [
        Change(.label(key: "app"), .text("api")),
        Change(.annotation(key: "team"), .text("blue")),
        Change(.cgroupParent, .text("/kubepods/pod2")),
        Change(.resource(.cpuShares), .number(9)),
      ])
  }

  @Test func mapsAreComparedKeyByKeyAndNothingIsDeleted() throws {
    var answer = sent.echo
    answer.containerAnnotations = ["more": "1"]
    answer.containerEnvs = [:]
    answer.containerResources.unified = [:]
    #expect(try sent.differences(to: answer) == [Change(.annotation(key: "more"), .text("1"))])
  }

  @Test func hugepageLimitsAreComparedByPageSize() throws {
    let answer = ContainerResourceHookResponse.with {
      $0.containerResources.hugepageLimits = [page("1GB", 1), page("2MB", 0), page("", 5)]
    }
    #expect(
      try sent.differences(to: answer) == [
        Change(.hugepageLimit(pageSize: "1GB"), .limit(1)), Change(.hugepageLimit(pageSize: "2MB"), .limit(0)),
      ])
  }

  @Test func theLastEntryOfAPageSizeWins() throws {
    let answer = ContainerResourceHookResponse.with {
      $0.containerResources.hugepageLimits = [page("2MB", 1), page("2MB", 4096)]
    }
    #expect(try sent.differences(to: answer).isEmpty)
  }

  @Test func anEmptyCpusetInAWholeStateAnswerClearsIt() throws {
    var answer = sent.echo
    answer.containerResources.cpusetCpus = ""
    #expect(try sent.differences(to: answer) == [Change(.resource(.cpusetCPUs), .cleared)])
    answer.containerResources.cpusetMems = ""
    #expect(try sent.differences(to: answer).count == 2)
  }

  @Test func anEmptyCpusetInAPodsWholeStateAnswerClearsIt() throws {
    var answer = PodSandboxHookRequest.example.echo
    answer.resources.cpusetCpus = ""
    #expect(
      try EncodedPod(.example).differences(to: answer) == [Change(.resource(.cpusetCPUs), .cleared)])
  }

  @Test func aWholeStateAnswerMayChangeNumbersToo() throws {
    var answer = sent.echo
    answer.containerResources.cpusetCpus = ""
    answer.containerResources.cpuShares = 7
    #expect(
      try sent.differences(to: answer) == [
        Change(.resource(.cpuShares), .number(7)), Change(.resource(.cpusetCPUs), .cleared),
      ])
  }

  @Test func zeroOomScoreAdjIsNoOpinionAndMakesTheAnswerSparse() throws {
    var answer = sent.echo
    answer.containerResources.cpusetCpus = ""
    answer.containerResources.oomScoreAdj = 0
    #expect(try sent.differences(to: answer).isEmpty)
  }

  @Test(arguments: ["", "kubepods-burstable-pod2.slice"])
  func anAnswerThatDoesNotRepeatTheCgroupParentClearsNothing(parent: String) throws {
    var answer = sent.echo
    answer.containerResources.cpusetCpus = ""
    answer.podCgroupParent = parent
    #expect(try !sent.differences(to: answer).contains { $0.value == .cleared })
  }

  @Test func withoutACgroupParentNoAnswerIsWholeState() throws {
    var sent = sent
    sent.podCgroupParent = ""
    var answer = sent.echo
    answer.containerResources.cpusetCpus = ""
    #expect(try sent.differences(to: answer).isEmpty)
  }

  @Test func anAnswerWithoutResourcesIsNotWholeState() throws {
    let sent = ContainerResourceHookRequest.with {
      $0.podCgroupParent = "/p"
      $0.containerResources.cpusetCpus = "1"
    }
    #expect(try sent.differences(to: .with { $0.podCgroupParent = "/p" }).isEmpty)
    let whole = ContainerResourceHookResponse.with {
      $0.podCgroupParent = "/p"; $0.containerResources = .init()
    }
    #expect(try sent.differences(to: whole) == [Change(.resource(.cpusetCPUs), .cleared)])
  }

  private func page(_ size: String, _ limit: UInt64) -> HugepageLimit {
    .with {
      $0.pageSize = size; $0.limit = limit
    }
  }
}
