import Accounts
import FoundationEssentials
import Testing

struct PluginStatisticsTests {
  private let book = AccountBook()

  @Test func countsCallsAndFailuresByKind() throws {
    let away = Verdict.failed(Failure(.socketUnavailable, "socket unavailable: away", effect: .ignored))
    let slow = Verdict.failed(Failure(.deadline, "deadline of 1 s passed", effect: .refused))
    book.file(.sample(calls: [.sample("b", verdict: .unchanged), .sample("a", verdict: .changed)]))
    book.file(.sample(calls: [.sample("b", verdict: away), .sample("a", verdict: .notAsked(.refusedEarlier))]))
    book.file(.sample(calls: [.sample("b", verdict: away), .sample("b", verdict: slow, duration: .seconds(1))]))
    #expect(book.pluginStatistics.map(\.plugin) == ["a", "b"])
    #expect(book.statistics(of: "a")?.calls == 1)
    let b = try #require(book.statistics(of: "b"))
    #expect(b.calls == 4)
    #expect(b.failures == [.socketUnavailable: 2, .deadline: 1])
    #expect(b.lastError?.text == "deadline of 1 s passed")
    #expect(b.lastError?.when == Date(timeIntervalSince1970: 1001))
    #expect(b.latency.count == 4)
    #expect(book.statistics(of: "c") == nil)
  }

  @Test func aTrippedPluginHasNoLatency() {
    let tripped = Verdict.failed(Failure(.tripped, "not asked", effect: .refused))
    book.file(.sample(calls: [.sample(verdict: tripped)]))
    #expect(book.statistics(of: "batch")?.failures == [.tripped: 1])
    #expect(book.statistics(of: "batch")?.latency.count == 0)
    #expect(tripped.outcome == .tripped)
  }

  @Test func countsChangesConflictsAndForbiddenOnes() {
    var call = HookCall.sample()
    call.add(FieldChange(ChangedField(.cpuShares), before: nil, after: .number(1)))
    call.add(DroppedChange(ChangedField(.cpuQuota), wanted: .number(1), .conflict(owner: "a")))
    call.add(DroppedChange(ChangedField(.env, key: ""), wanted: .text(""), .forbidden("no name")))
    book.file(.sample(calls: [call]))
    let statistics = book.statistics(of: "batch")
    #expect(statistics?.changes == 1)
    #expect(statistics?.conflicts == 1)
    #expect(statistics?.forbidden == 1)
  }

  @Test func aPluginWithoutAFileIsForgotten() {
    book.file(.sample(calls: [.sample("a"), .sample("b")]))
    book.forgetPlugins(except: ["b", "c"])
    #expect(book.pluginStatistics.map(\.plugin) == ["b"])
  }

  @Test func quantilesComeFromTheBuckets() throws {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == nil)
    for _ in 0..<98 { histogram.record(.microseconds(800)) }
    histogram.record(.milliseconds(400))
    histogram.record(.seconds(300))
    let median = try #require(histogram.quantile(0.5))
    #expect((.microseconds(500) ... .milliseconds(1)).contains(median))
    let high = try #require(histogram.quantile(0.99))
    #expect((.milliseconds(250) ... .milliseconds(500)).contains(high))
    #expect(histogram.quantile(1) == .seconds(60))
    #expect(histogram.count == 100)
  }
}
