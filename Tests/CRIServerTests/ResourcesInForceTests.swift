import HookMessages
import SwiftProtobuf
import Testing

@testable import CRIServer

/// Which of the values in force were asked for.
@Suite struct ResourcesInForceTests {
  /// What one has without asking, as a runtime may spell it.
  static let unasked = LinuxContainerResources.with {
    ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (100_000, -1, 1024, 9_223_372_036_854_771_712)
  }

  @Test func whatOneHasWithoutAskingIsNotTakenOver() {
    var resources = LinuxContainerResources()
    resources.overlay(inForce: Self.unasked, remembered: nil)
    #expect(resources == LinuxContainerResources())
  }

  @Test func aFieldOfTheConfigTakesWhateverIsInForce() {
    var resources = LinuxContainerResources.with {
      ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (1, 2, 3, 4)
    }
    resources.overlay(inForce: Self.unasked, remembered: nil)
    #expect(resources == Self.unasked)
  }

  @Test func aRememberedUpdateTellsThatAFieldWasAskedFor() {
    var resources = LinuxContainerResources()
    resources.overlay(inForce: Self.unasked, remembered: .with { $0.cpuQuota = 50_000 })
    #expect(resources == .with { $0.cpuQuota = -1 })
  }

  @Test func anythingElseInForceWasAskedFor() {
    let inForce = LinuxContainerResources.with {
      ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (50_000, 1000, 2, 1 << 20)
      ($0.cpusetCpus, $0.cpusetMems, $0.unified) = ("0", "1", ["memory.high": "1"])
      $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", 3) }]
    }
    var resources = LinuxContainerResources()
    resources.overlay(inForce: inForce, remembered: nil)
    #expect(resources == inForce)
  }

  @Test func swapAndOomScoreStayAsInTheConfig() {
    var resources = LinuxContainerResources.with { ($0.oomScoreAdj, $0.memorySwapLimitInBytes) = (5, 6) }
    resources.overlay(inForce: .with { ($0.oomScoreAdj, $0.memorySwapLimitInBytes) = (7, 8) }, remembered: nil)
    #expect(resources == .with { ($0.oomScoreAdj, $0.memorySwapLimitInBytes) = (5, 6) })
  }
}
