import Testing

@testable import Systemd

@Suite struct SocketActivationTests {
  private func count(_ descriptors: String?, _ process: String?) throws(ActivationError) -> Int {
    try SocketActivation.count(descriptors: descriptors, process: process, names: "a:b", own: 5)
  }

  @Test func whatIsMeantForAnotherProcessIsNotOurs() throws {
    #expect(try count(nil, nil) == 0)
    #expect(try count("1", nil) == 0)
    #expect(try count("1", "6") == 0)
    #expect(try count("x", "6") == 0)
  }

  @Test func oneSocketIsTaken() throws {
    #expect(try count("1", "5") == 1)
    #expect(try count("0", "5") == 0)
  }

  @Test func severalAreRefusedByName() {
    #expect(throws: ActivationError.several(2, names: "a:b")) { try count("2", "5") }
  }

  @Test(arguments: ["", "x", "-1"])
  func garbageIsRefused(text: String) {
    #expect(throws: ActivationError.unreadable(text)) { try count(text, "5") }
  }
}
