/// The `cgroupsPath` of a container's runtime specification, which is all that tells of a cgroup parent of its own:
/// the container's config has none.
///
/// containerd makes it from the cgroup parent of the `sandbox_config` at CreateContainer: `<parent>/<container id>`,
/// or `<last part of the parent>:cri-containerd:<container id>` if the parent is a systemd slice.
struct CgroupsPath {
  /// The parent: a path, or of a slice its full path.
  let parent: String

  /// - Returns: nil if the path is of neither form, so that nothing can be said about the parent.
  init?(_ path: String, containerID: String) {
    let parts = path.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 3, parts[2] == containerID, let slicePath = Self.path(ofSlice: parts[0]) {
      parent = slicePath
    } else if path.hasSuffix("/" + containerID), path.count > containerID.count + 1 {
      parent = String(path.dropLast(containerID.count + 1))
    } else {
      return nil
    }
  }

  /// Whether this is another cgroup than the pod's. A pod without a cgroup parent leaves the choice to the runtime, so
  /// that nothing can be said about its containers.
  func differs(from podCgroupParent: String) -> Bool {
    guard let podBase = podCgroupParent.split(separator: "/").last else { return false }
    // A slice's name tells its whole path; kubelet's and a plugin's spelling of the path may differ.
    if let slicePath = Self.path(ofSlice: podBase) { return slicePath != parent }
    return podCgroupParent.split(separator: "/") != parent.split(separator: "/")
  }

  /// `a-b.slice` is `/a.slice/a-b.slice` (systemd.slice, "Description"); nil if `name` is no slice.
  private static func path(ofSlice name: Substring) -> String? {
    guard name.hasSuffix(".slice"), name.count > ".slice".count else { return nil }
    let parts = name.dropLast(".slice".count).split(separator: "-", omittingEmptySubsequences: false)
    guard !parts.contains(where: \.isEmpty) else { return nil }
    return parts.indices.map { "/" + parts[...$0].joined(separator: "-") + ".slice" }.joined()
  }
}
