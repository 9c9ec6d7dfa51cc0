import HookMessages
import Store
import SwiftProtobuf
import Testing

/// Resources laid over older ones.
@Suite struct OverlayTests {
  let old = LinuxContainerResources.with {
    $0.cpuPeriod = 1
    $0.cpuQuota = 2
    $0.cpuShares = 3
    $0.memoryLimitInBytes = 4
    $0.oomScoreAdj = 5
    $0.cpusetCpus = "6"
    $0.cpusetMems = "7"
    $0.memorySwapLimitInBytes = 8
    $0.unified = ["memory.high": "9", "cpu.idle": "0"]
    $0.hugepageLimits = [Self.limit("2MB", 10), Self.limit("1GB", 11)]
  }

  @Test func nothingOverlaysNothing() {
    var resources = old
    resources.overlay(.init())
    #expect(resources == old)
  }

  @Test func everyFieldThatIsSetOverlays() {
    let newer = LinuxContainerResources.with {
      $0.cpuPeriod = 21
      $0.cpuQuota = -1
      $0.cpuShares = 23
      $0.memoryLimitInBytes = 24
      $0.oomScoreAdj = -25
      $0.cpusetCpus = "26"
      $0.cpusetMems = "27"
      $0.memorySwapLimitInBytes = 28
    }
    var resources = old
    resources.overlay(newer)
    var expected = newer
    expected.unified = old.unified
    expected.hugepageLimits = old.hugepageLimits
    #expect(resources == expected)
  }

  @Test func unifiedGoesByKeyAndHugePagesByPageSize() {
    var resources = old
    resources.overlay(
      .with {
        $0.unified = ["memory.high": "max", "io.weight": "100"]
        $0.hugepageLimits = [Self.limit("1GB", 0), Self.limit("64KB", 1)]
      })
    #expect(resources.unified == ["memory.high": "max", "cpu.idle": "0", "io.weight": "100"])
    #expect(resources.hugepageLimits == [Self.limit("2MB", 10), Self.limit("1GB", 0), Self.limit("64KB", 1)])
  }

  @Test func ofOnePageSizeTwiceTheLastCountsAndTakesTheFirstPlace() {
    var resources = LinuxContainerResources.with {
      $0.hugepageLimits = [Self.limit("2MB", 1), Self.limit("1GB", 2), Self.limit("2MB", 3)]
    }
    resources.overlay(
      .with { $0.hugepageLimits = ["2MB", "64KB", "2MB", "64KB"].enumerated().map { Self.limit($1, UInt64(10 + $0)) } })
    #expect(
      resources.hugepageLimits
        == [Self.limit("2MB", 12), Self.limit("1GB", 2), Self.limit("2MB", 3), Self.limit("64KB", 13)])
  }

  private static func limit(_ pageSize: String, _ bytes: UInt64) -> HugepageLimit {
    .with {
      $0.pageSize = pageSize
      $0.limit = bytes
    }
  }
}
