import Testing

@testable import PluginsManager

@Suite struct RegistrationTests {
  @Test func aFileThatKoordletWritesIsUnderstood() throws {
    let registration = try decode(
      """
      {"remote-endpoint":"/var/run/koordlet//koordlet.sock","failure-policy":"Ignore",
       "runtime-hooks":["PreRunPodSandbox","PreCreateContainer"]}
      """)
    #expect(
      registration
        == Registration(
          endpoint: "/var/run/koordlet//koordlet.sock", failurePolicy: .ignore,
          hookPoints: [.preRunPodSandbox, .preCreateContainer], timeout: .seconds(5), uid: nil))
  }

  @Test func allKeysAreRead() throws {
    let registration = try decode(
      """
      {"remote-endpoint":"unix:///run/a.sock","failure-policy":"Fail","runtime-hooks":["PostStopContainer"],
       "timeout":"1.5s","uid":4294967295}
      """)
    #expect(
      registration
        == Registration(
          endpoint: "/run/a.sock", failurePolicy: .fail, hookPoints: [.postStopContainer],
          timeout: .milliseconds(1500), uid: .max))
  }

  @Test(arguments: HookPoint.allCases)
  func everyHookPointIsKnownByItsName(point: HookPoint) throws {
    let registration = try decode(#"{"remote-endpoint":"/a","runtime-hooks":["\#(point.rawValue)"]}"#)
    #expect(registration.hookPoints == [point])
    #expect(registration.warnings.isEmpty)
  }

  // MARK: failure-policy

  @Test(arguments: ["", #","failure-policy":"""#, #","failure-policy":null"#, #","failure-policy":"Ignore""#])
  func anAbsentOrEmptyFailurePolicyIsIgnore(member: String) throws {
    #expect(try decode(#"{"remote-endpoint":"/a"\#(member)}"#).failurePolicy == .ignore)
  }

  @Test(arguments: ["fail", "Abort", "Fail "])
  func aWrongFailurePolicyRefusesTheFile(policy: String) {
    #expect(throws: RegistrationError.failurePolicyUnknown(file: "f.json", line: 1, found: policy)) {
      try decode(#"{"remote-endpoint":"/a","failure-policy":"\#(policy)"}"#)
    }
  }

  // MARK: remote-endpoint

  @Test(arguments: ["", "run/a.sock", "unix:/a", "unix://run/a.sock", "tcp:///a", #"/a\u0000b"#])
  func anEndpointThatIsNoAbsolutePathRefusesTheFile(endpoint: String) throws {
    let error = #expect(throws: RegistrationError.self) { try decode(#"{"remote-endpoint":"\#(endpoint)"}"#) }
    guard case .endpointNotAbsolute = error else {
      throw TestFailure("\(error, default: "no error")")
    }
  }

  @Test(arguments: ["", "unix://"])
  func anEndpointMayHave107Bytes(scheme: String) throws {
    let path = "/" + String(repeating: "é", count: 53)
    #expect(try decode(#"{"remote-endpoint":"\#(scheme)\#(path)"}"#).endpoint == path)
  }

  @Test func anEndpointOfMoreBytesRefusesTheFile() {
    let path = "/" + String(repeating: "é", count: 53) + "a"
    #expect(throws: RegistrationError.endpointTooLong(file: "f.json", line: 1, bytes: 108)) {
      try decode(#"{"remote-endpoint":"\#(path)"}"#)
    }
  }

  @Test(arguments: [#"{"remote_endpoint":"/a"}"#, #"{"remote_endpoint":"/a","remote-endpoint":null}"#])
  func aMissingEndpointIsToldTogetherWithTheKeysThatWereFound(text: String) {
    let error = #expect(throws: RegistrationError.self) { try decode(text) }
    #expect(
      error?.description == """
        f.json: remote-endpoint: is missing; the absolute path of the plugin's unix socket is meant \
        (unknown keys here: "remote_endpoint")
        """)
  }

  // MARK: runtime-hooks

  @Test func anUnknownHookNameIsRefusedAndTheOthersAreUsed() throws {
    let registration = try decode(
      #"{"remote-endpoint":"/a","runtime-hooks":["PreFly","PreStartContainer","preRunPodSandbox","PreFly"]}"#)
    #expect(registration.hookPoints == [.preStartContainer])
    #expect(registration.warnings == [.unknownHooks([Placed("PreFly", line: 1), Placed("preRunPodSandbox", line: 1)])])
  }

  @Test func koordletsUnknownMethodIsAcceptedAndNeverCalled() throws {
    let registration = try decode(
      #"{"remote-endpoint":"/a","runtime-hooks":["PreRemoveRunPodSandbox","PreStartContainer"]}"#)
    #expect(registration.hookPoints == [.preStartContainer])
    #expect(registration.warnings == [.hookNeverCalled(Placed("PreRemoveRunPodSandbox", line: 1))])
  }

  @Test(arguments: ["", #","runtime-hooks":[]"#, #","runtime-hooks":null"#])
  func aFileWithoutHookPointsIsUsedWithAWarning(member: String) throws {
    let registration = try decode(#"{"remote-endpoint":"/a"\#(member)}"#)
    #expect(registration.hookPoints.isEmpty)
    #expect(registration.warnings == [.neverAsked])
  }

  // MARK: all keys

  @Test(arguments: [
    (#""remote-endpoint":1"#, "remote-endpoint"), (#""remote-endpoint":["/a"]"#, "remote-endpoint"),
    (#""failure-policy":true"#, "failure-policy"), (#""runtime-hooks":"PreRunPodSandbox""#, "runtime-hooks"),
    (#""runtime-hooks":["PreRunPodSandbox",1]"#, "runtime-hooks"), (#""timeout":5"#, "timeout"),
    (#""uid":"0""#, "uid"), (#""uid":-1"#, "uid"), (#""uid":4294967296"#, "uid"), (#""uid":1.5"#, "uid"),
    (#""uid":true"#, "uid"),
  ])
  func aValueOfAWrongTypeRefusesTheFileAndNamesTheKey(member: String, key: String) throws {
    // Of two values for one key the first counts.
    let error = #expect(throws: RegistrationError.self) { try decode(#"{\#(member),"remote-endpoint":"/a"}"#) }
    guard case .wrongType("f.json", 1, key, _) = error else {
      throw TestFailure("\(error, default: "no error")")
    }
    #expect(error?.description.hasPrefix("f.json:1: \(key): ") == true)
  }

  @Test(arguments: ["5", "0.5ms", "61s", "-1s", "2 s"])
  func aTimeoutOutsideItsRangeRefusesTheFile(timeout: String) {
    #expect(throws: RegistrationError.timeoutInvalid(file: "f.json", line: 1, found: timeout)) {
      try decode(#"{"remote-endpoint":"/a","timeout":"\#(timeout)"}"#)
    }
  }

  @Test func unknownKeysAreAWarning() throws {
    let registration = try decode(
      #"{"z":{"deep":[1]},"remote-endpoint":"/a","Timeout":null,"runtime-hooks":["PreStartContainer"]}"#)
    #expect(registration.warnings == [.unknownKeys([Placed("Timeout", line: 1), Placed("z", line: 1)])])
  }

  @Test func ofAKeyThatOccursTwiceTheFirstValueCounts() throws {
    let registration = try decode(
      #"{"remote-endpoint":"/first","uid":1,"remote-endpoint":"/second","uid":2,"uid":"three"}"#)
    #expect(registration.endpoint == "/first")
    #expect(registration.uid == 1)
    let repeated = ["remote-endpoint", "uid", "uid"].map { Placed($0, line: 1) }
    #expect(registration.warnings == [.repeatedKeys(repeated), .neverAsked])
  }

  @Test func whatAFileSaysIsShownShortened() {
    let error = #expect(throws: RegistrationError.self) {
      try decode(#"{"remote-endpoint":"/a","failure-policy":"\#(String(repeating: "x\\n", count: 10_000))"}"#)
    }
    #expect((error?.description.utf8.count ?? .max) < 400)
    #expect(error?.description.contains("\n") == false)
  }
}
