import Testing

@testable import CRIServer

/// A container's own cgroup parent, told from its cgroups path.
@Suite struct CgroupsPathTests {
  @Test(arguments: [
    ("/kubepods/pod1/c1", "/kubepods/pod1"), ("/k8s.io/c1", "/k8s.io"),
    ("kubepods-pod1.slice:cri-containerd:c1", "/kubepods.slice/kubepods-pod1.slice"),
    ("batch.slice:crio:c1", "/batch.slice"),
  ])
  func tellsTheParent(path: String, parent: String) {
    #expect(CgroupsPath(path, containerID: "c1")?.parent == parent)
  }

  @Test(arguments: [
    "", "c1", "/c1", "/kubepods/pod1", "/kubepods/xc1", "kubepods-pod1.slice:cri-containerd:c2", "kubepods:cri:c1",
    "-.slice:cri-containerd:c1", "a--b.slice:cri-containerd:c1",
  ])
  func saysNothingAboutOtherForms(path: String) {
    #expect(CgroupsPath(path, containerID: "c1") == nil)
  }

  @Test(arguments: [
    ("/kubepods/pod1/c1", "/kubepods/pod1", false), ("/kubepods/pod1/c1", "/kubepods/pod1/", false),
    ("/kubepods/pod1/c1", "/kubepods/pod2", true), ("/k8s.io/c1", "", false), ("/k8s.io/c1", "/", false),
    ("kubepods-pod1.slice:cri-containerd:c1", "/kubepods.slice/kubepods-pod1.slice", false),
    ("kubepods-pod1.slice:cri-containerd:c1", "kubepods-pod1.slice", false),
    ("batch.slice:cri-containerd:c1", "/kubepods.slice/kubepods-pod1.slice", true),
  ])
  func tellsWhetherItIsAnotherThanThePods(path: String, podCgroupParent: String, differs: Bool) {
    #expect(CgroupsPath(path, containerID: "c1")?.differs(from: podCgroupParent) == differs)
  }
}
