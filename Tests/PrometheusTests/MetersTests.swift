import Accounts
import Meters
import Prometheus
import Testing

struct MetersTests {
  private let exporter = PrometheusExporter(MetricTable.families)

  private func lines(_ name: String) -> [String] {
    exporter.text().split(separator: "\n").filter { $0.hasPrefix("runtime_manager_\(name)") }.map(String.init)
  }

  @Test func everyNameSaysWhoseAndInWhichUnit() {
    for family in MetricTable.families {
      #expect(family.name.hasPrefix("runtime_manager_"))
      switch family.kind {
      case .counter: #expect(family.name.hasSuffix("_total"))
      case .gauge: #expect(!family.name.hasSuffix("_total"))
      case .histogram: #expect(family.name.hasSuffix("_seconds"))
      }
      #expect(family.help.hasSuffix("."))
    }
    #expect(Set(MetricTable.families.map(\.name)).count == MetricTable.families.count)
  }

  @Test func callsAreCountedByMethodAndCode() {
    let meters = CallMeters(methods: ["Version", "other"], codes: ["OK", "CANCELLED"], factory: exporter)
    for _ in 0..<3 { meters.callBegins() }
    meters.callEnds(method: 0, code: 0)
    meters.callEnds(method: 0, code: 0)
    meters.callEnds(method: 1, code: 1)
    meters.callBegins()
    meters.request(bytes: 100)
    meters.answer(bytes: 7)
    #expect(meters.inFlight == 1)
    #expect(
      lines("calls_total") == [
        "runtime_manager_calls_total{method=\"Version\",code=\"OK\"} 2",
        "runtime_manager_calls_total{method=\"other\",code=\"CANCELLED\"} 1",
      ])
    #expect(
      lines("relayed_bytes_total") == [
        "runtime_manager_relayed_bytes_total{direction=\"answer\"} 7",
        "runtime_manager_relayed_bytes_total{direction=\"request\"} 100",
      ])
  }

  private func call(_ plugin: String, _ verdict: Verdict, _ milliseconds: Int = 1) -> HookCall {
    HookCall(
      plugin: plugin, hookPoint: "PreCreateContainer", isUnderFail: false, duration: .milliseconds(milliseconds),
      verdict: verdict)
  }

  @Test func hookedCallsAreCountedFromTheirAccounts() {
    let meters = HookMeters(factory: exporter)
    var changed = call("a", .changed)
    changed.add(FieldChange(ChangedField(.cpuShares), before: nil, after: .number(1)))
    changed.add(FieldChange(ChangedField(.env, key: "one"), before: nil, after: .secret))
    changed.add(FieldChange(ChangedField(.env, key: "two"), before: nil, after: .secret))
    var unchanged = call("b", .unchanged)
    unchanged.add(DroppedChange(ChangedField(.cpuShares), wanted: .number(2), .conflict(owner: "a")))
    unchanged.add(DroppedChange(ChangedField(.label, key: "x"), wanted: .text(""), .forbidden("no")))
    let refused = call("c", .failed(Failure(.deadline, "", effect: .refused)), 5_000)
    let tripped = call("d", .failed(Failure(.tripped, "", effect: .ignored)))
    meters.count(
      Account(
        verb: "CreateContainer", duration: .milliseconds(3),
        hookCalls: [changed, unchanged, refused, tripped, call("e", .notAsked(.refusedEarlier)), call("f", .pending)]))
    let labels = "hook_point=\"PreCreateContainer\""
    #expect(
      lines("hook_calls_total") == [
        "runtime_manager_hook_calls_total{plugin=\"a\",\(labels),outcome=\"changed\"} 1",
        "runtime_manager_hook_calls_total{plugin=\"b\",\(labels),outcome=\"unchanged\"} 1",
        "runtime_manager_hook_calls_total{plugin=\"c\",\(labels),outcome=\"refused\"} 1",
        "runtime_manager_hook_calls_total{plugin=\"d\",\(labels),outcome=\"tripped\"} 1",
      ])
    #expect(
      lines("hook_changes_total") == [
        "runtime_manager_hook_changes_total{plugin=\"a\",field=\"cpu_shares\"} 1",
        "runtime_manager_hook_changes_total{plugin=\"a\",field=\"env\"} 2",
      ])
    #expect(
      lines("hook_conflicts_total") == ["runtime_manager_hook_conflicts_total{plugin=\"b\",field=\"cpu_shares\"} 1"])
    #expect(lines("hook_call_duration_seconds_count").map { $0.suffix(2) } == [" 1", " 1", " 1"])
    #expect(
      lines("call_duration_seconds_bucket").filter { $0.contains("le=\"0.0025\"") || $0.contains("le=\"0.005\"") }
        .map { $0.suffix(2) } == [" 0", " 1"])
  }

  @Test func whatGoesOnAfterACallCountsForThePluginOnly() {
    let meters = HookMeters(factory: exporter)
    meters.count(Account(verb: "StopContainer", hookCalls: [call("a", .answered)], attempt: 2))
    #expect(lines("call_duration_seconds").isEmpty)
    #expect(lines("hook_calls_total").count == 1)
  }

  @Test func theSeriesOfAPluginEndWithItsRegistration() {
    let meters = HookMeters(factory: exporter)
    var changed = call("a", .changed)
    changed.add(FieldChange(ChangedField(.cpuShares), before: nil, after: .number(1)))
    changed.add(DroppedChange(ChangedField(.cpuQuota), wanted: .number(2), .conflict(owner: "b")))
    meters.count(Account(verb: "CreateContainer", hookCalls: [changed, call("b", .unchanged)]))
    meters.forgetPlugins(except: ["b"])
    #expect(!exporter.text().contains("plugin=\"a\""))
    #expect(exporter.text().contains("plugin=\"b\""))
    // It may come back.
    meters.count(Account(verb: "CreateContainer", hookCalls: [changed]))
    #expect(lines("hook_calls_total").contains { $0.contains("plugin=\"a\"") && $0.hasSuffix(" 1") })
  }

  @Test func aLookShowsWhatIsThereNow() {
    let meters = StateMeters(version: "1.2.3", factory: exporter)
    var look = StateMeters.Look()
    look.pods = 2
    look.breakers = ["a": true, "b": false]
    look.registrationFiles = ["good": 2, "rejected": 1]
    meters.show(look)
    look.breakers = ["b": true]
    look.registrationFiles = ["good": 0, "rejected": 1]
    meters.show(look)
    #expect(lines("store_pods") == ["runtime_manager_store_pods 2"])
    #expect(lines("breaker_open") == ["runtime_manager_breaker_open{plugin=\"b\"} 1"])
    #expect(lines("registration_files").map { $0.suffix(2) } == [" 0", " 1"])
    #expect(lines("build_info") == ["runtime_manager_build_info{version=\"1.2.3\"} 1"])
  }
}
