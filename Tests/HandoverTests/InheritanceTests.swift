import Handover
import Testing

@Suite struct InheritanceTests {
  @Test func isReadAsItIsWritten() {
    let inheritance = Inheritance(
      link: 3, socket: 4, lock: 5, control: 6, isActivated: true, predecessors: [7, 8, 9], isFirstStage: false)
    #expect(inheritance.text == "0,1,3,4,5,6,7,8,9")
    #expect(Inheritance(text: inheritance.text) == inheritance)
  }

  @Test(arguments: [
    "", "0,1,3,4,5", "0,1,3,4,5,x", "2,1,3,4,5,6", "0,0,2,3,4,5", "0,0,3,3,4,5", "0,0,3,4,5,6,", "0,0,3,4,5,6,7,8,9,10",
  ])
  func garbageIsNothing(text: String) { #expect(Inheritance(text: text) == nil) }
}
