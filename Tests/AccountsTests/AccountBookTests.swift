import Accounts
import Testing

struct AccountBookTests {
  private let book = AccountBook()

  @Test func findsAContainerByItsIDOrABeginningOfIt() {
    book.file(.sample(container: "c0ffee01", pod: "p1"))
    book.file(.sample(container: "c0ffaa02", pod: "p1"))
    #expect(book.accounts("c0ffee01").map(\.containerID) == ["c0ffee01"])
    #expect(book.accounts("c0ffe").map(\.containerID) == ["c0ffee01"])
    #expect(book.lookUp("c0ff") == .ambiguous(["c0ffaa02", "c0ffee01"]))
    #expect(book.lookUp("dead") == .unknown)
    #expect(book.lookUp("") == .unknown)
  }

  @Test func anIDThatBeginsAnotherOneIsFoundByItself() {
    book.file(.sample(container: "ab"))
    book.file(.sample(container: "abc"))
    #expect(book.accounts("ab").map(\.containerID) == ["ab"])
  }

  @Test func aPodBringsItsContainers() {
    book.file(.sample("RunPodSandbox", pod: "p1"))
    book.file(.sample("CreateContainer", container: "c1", pod: "p1"))
    book.file(.sample("CreateContainer", container: "c2", pod: "p2"))
    book.file(.sample("StartContainer", container: "c1", pod: "p1"))
    #expect(book.accounts("p1").map(\.verb) == ["RunPodSandbox", "CreateContainer", "StartContainer"])
    #expect(book.accounts("c1").map(\.verb) == ["CreateContainer", "StartContainer"])
    // Of this pod itself there is no account.
    #expect(book.accounts("p2").map(\.verb) == ["CreateContainer"])
  }

  @Test func aNameFindsAllSandboxesOfAPodAndOneThatWasNeverMade() {
    book.file(.sample("RunPodSandbox"))
    book.file(.sample("RunPodSandbox", pod: "p1"))
    book.file(.sample("RunPodSandbox", pod: "p2"))
    book.file(.sample("RunPodSandbox", pod: "p3", name: "other"))
    #expect(book.accounts("demo/web").map(\.podSandboxID) == [nil, "p1", "p2"])
    #expect(book.lookUp("demo/we") == .unknown)
    #expect(book.lookUp("demo/") == .unknown)
  }

  @Test func anObjectKeepsItsLastTwenty() {
    for number in 0..<25 { book.file(.sample("call \(number)", container: "c1")) }
    book.file(.sample("other", container: "c2"))
    #expect(book.accounts("c1").map(\.verb) == (5..<25).map { "call \($0)" })
    #expect(book.droppedOf("c1") == 5)
    #expect(book.droppedOf("c2") == 0)
    #expect(book.dropped == 5)
    #expect(book.count == 21)
  }

  @Test func theOldestOfAllGoFirstWhenThereIsNoRoom() {
    let book = AccountBook(limitBytes: 20_000)
    for number in 0..<200 {
      book.file(.sample(container: "container-\(number)"))
      #expect(book.bytes <= 20_000)
    }
    #expect(book.count > 5)
    #expect(book.count + book.dropped == 200)
    #expect(book.lookUp("container-0") == .unknown)
    for number in (200 - book.count)..<200 { #expect(book.accounts("container-\(number)").count == 1) }
  }

  @Test func anAccountLargerThanAllRoomIsNotKeptAndCostsNothing() {
    let book = AccountBook(limitBytes: 4_000)
    book.file(.sample(container: "small"))
    book.file(.sample(container: "large", calls: Array(repeating: .sample(), count: 100)))
    #expect(book.count == 0)
    #expect(book.bytes == 0)
  }

  @Test func everythingThatGoesIsTakenOffTheCount() {
    let book = AccountBook(accountsPerObject: 3, limitBytes: 30_000)
    var generator = SystemRandomNumberGenerator()
    for number in 0..<2_000 {
      book.file(
        .sample(
          "call \(number)", container: "container-\(Int.random(in: 0..<40, using: &generator))",
          calls: Array(repeating: .sample(), count: Int.random(in: 1..<6, using: &generator))))
    }
    #expect(book.bytes <= 30_000)
    // One that takes all the room pushes out every other one.
    book.file(.sample(container: "last", calls: Array(repeating: .sample(), count: 1_000)))
    #expect(book.bytes == 0)
    #expect(book.count == 0)
  }

  @Test func manyValuesAreCountedByTheirSize() {
    let small = AccountBook()
    let large = AccountBook()
    small.file(.sample(container: "c1"))
    var call = HookCall.sample()
    for number in 0..<50 {
      call.add(
        FieldChange(
          ChangedField(.annotation, key: "example.com/\(number)"), before: nil,
          after: ShownValue(text: String(repeating: "x", count: 200))))
    }
    large.file(.sample(container: "c1", calls: [call]))
    #expect(large.bytes - small.bytes > 50 * 200)
  }

  @Test func repetitionsOfAnOwedCallAreOneEntry() {
    let owed = Verdict.failed(Failure(.socketUnavailable, "away", effect: .owed))
    func told(_ attempt: Int?, _ plugin: String, _ verdict: Verdict) -> Account {
      let call = HookCall.sample(plugin, "PostStopContainer", verdict: verdict)
      return .sample("StopContainer", container: "c1", attempt: attempt, calls: [call])
    }
    book.file(told(nil, "batch", owed))
    for attempt in 2..<30 {
      book.file(told(attempt, "batch", owed))
      book.file(told(attempt, "other", owed))
    }
    book.file(told(30, "batch", .answered))
    let accounts = book.accounts("c1")
    #expect(accounts.map(\.attempt) == [nil, 29, 30])
    #expect(accounts.last?.hookCalls.first?.verdict == .answered)
    #expect(book.droppedOf("c1") == 0)
  }

  @Test func whatIsAboutNobodyIsToldAndNotKept() {
    book.file(Account(verb: "StopContainer", hookCalls: [.sample()]))
    #expect(book.count == 0)
    #expect(book.pluginStatistics.map(\.plugin) == ["batch"])
  }

  @Test func whoeverIsToldIsToldOfEach() async {
    let (told, tell) = AsyncStream.makeStream(of: String.self)
    let book = AccountBook(whenFiled: { tell.yield($0.verb) })
    book.file(.sample("first"))
    book.file(.sample("second"))
    tell.finish()
    #expect(await told.reduce(into: []) { $0.append($1) } == ["first", "second"])
  }
}
