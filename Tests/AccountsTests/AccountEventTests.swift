import Accounts
import Testing

struct AccountEventTests {
  private let book = AccountBook()

  @Test func aReaderGetsWhatIsFiledFromThenOn() async {
    book.file(.sample("before"))
    var events = book.events().makeAsyncIterator()
    book.file(.sample("first"))
    book.file(.sample("second"))
    let first = await events.next()
    let second = await events.next()
    #expect(first?.account.verb == "first")
    #expect(first?.number == 2)
    #expect(second?.account.verb == "second")
    #expect(second?.missed == 0)
  }

  @Test func aSlowReaderIsToldHowManyItMissed() async {
    var events = book.events(limit: 2).makeAsyncIterator()
    var quick = book.events().makeAsyncIterator()
    for number in 1...5 { book.file(.sample("call \(number)")) }
    for number in 1...2 { #expect(await events.next()?.account.verb == "call \(number)") }
    book.file(.sample("call 6"))
    let next = await events.next()
    #expect(next?.account.verb == "call 6")
    #expect(next?.missed == 3)
    book.file(.sample("call 7"))
    #expect(await events.next()?.missed == 0)
    for number in 1...7 { #expect(await quick.next()?.account.verb == "call \(number)") }
  }
}
