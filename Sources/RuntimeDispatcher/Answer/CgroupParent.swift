/// A pod's cgroup parent as kubelet writes it: a systemd slice (`kubepods-burstable-pod1.slice`) or a path
/// (`/kubepods/burstable/pod1`).
struct CgroupParent {
  /// The names from the root of the hierarchy on.
  let components: [Substring]
  let isSlice: Bool

  /// containerd takes a parent for a slice if its last path component ends in `.slice`.
  init(_ text: String) {
    let path = text.split(separator: "/")
    if let last = path.last, last.hasSuffix(".slice") {
      isSlice = true
      components = last.dropLast(".slice".count).split(separator: "-")
    } else {
      isSlice = false
      components = path
    }
  }

  /// Whether a container under `other` would be outside what kubelet manages, if `self` is kubelet's choice:
  /// everything up to `kubepods`, or the first name if that one does not occur.
  func rootIsLeft(by other: CgroupParent) -> Bool {
    let rootLength = components.firstIndex(of: "kubepods").map { $0 + 1 } ?? 1
    return !other.components.starts(with: components.prefix(rootLength))
  }
}
