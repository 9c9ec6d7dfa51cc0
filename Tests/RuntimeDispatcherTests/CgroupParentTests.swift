import Testing

@testable import RuntimeDispatcher

@Suite struct CgroupParentTests {
  @Test(arguments: ["kubepods-pod1.slice", "/kubepods.slice/kubepods-pod1.slice", "/a/b.slice/"])
  func aLastComponentThatEndsInSliceIsASlice(text: String) {
    #expect(CgroupParent(text).isSlice)
  }

  @Test(arguments: ["/kubepods/pod1", "/a.slice/b", "/", ""])
  func anythingElseIsAPath(text: String) {
    #expect(!CgroupParent(text).isSlice)
  }

  @Test(arguments: [
    ("/kubepods/burstable/pod1", "/kubepods/other"),
    ("/node/kubepods/pod1", "/node/kubepods/besteffort/pod1"),
    ("kubepods-burstable-pod1.slice", "kubepods-besteffort-pod1.slice"),
    ("kubepods-pod1.slice", "/kubepods.slice/kubepods-pod1.slice"),
    ("/custom/pod1", "/custom/pod2"),
  ])
  func staysInKubeletsRoot(sent: String, wanted: String) {
    #expect(!CgroupParent(sent).rootIsLeft(by: CgroupParent(wanted)))
  }

  @Test(arguments: [
    ("/kubepods/burstable/pod1", "/offline/pod1"),
    ("/node/kubepods/pod1", "/node/offline"),
    ("kubepods-burstable-pod1.slice", "system-x.slice"),
    ("kubepods-pod1.slice", "kubepodsx-pod1.slice"),
    ("/custom/pod1", "/other"),
  ])
  func leavesKubeletsRoot(sent: String, wanted: String) {
    #expect(CgroupParent(sent).rootIsLeft(by: CgroupParent(wanted)))
  }
}
