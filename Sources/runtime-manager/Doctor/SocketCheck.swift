internal import GRPC
internal import Glibc

/// Do the runtime and RuntimeManager answer, with the same words, on sockets that only the right people can dial?
struct SocketCheck {
  let node: Node
  let listen: String
  let runtime: String
  /// `nil`: there is none.
  let admin: String?
  /// Asks the endpoint at a path of the node for its version.
  let version: (String) async -> Result<RuntimeVersion, Status>

  func findings() async -> [DoctorFinding] {
    let theirs = await version(runtime)
    let ours = await version(listen)
    return answer(theirs) + answer(ours, runtime: theirs) + access(listen, "socket", mayDial: 0o660) + parent(listen)
      + (admin.map { access($0, "admin socket", mayDial: 0o600) } ?? [])
  }

  private func answer(_ version: Result<RuntimeVersion, Status>) -> [DoctorFinding] {
    switch version {
    case .success(let version):
      let text = "\(version.name) \(version.version) answers on \(runtime), CRI \(version.api)"
      guard version.api == "v1" else {
        return [
          DoctorFinding(
            .warn, "runtime", text,
            advice: "kubelet 1.26 and newer need CRI v1: containerd 1.6 or newer (and its cri plugin enabled)")
        ]
      }
      return [DoctorFinding(.ok, "runtime", text)]
    case .failure(let status):
      return [
        DoctorFinding(
          .fail, "runtime", "\(runtime): \(status.message)",
          advice: "systemctl status containerd; if its socket is elsewhere, set --runtime-endpoint")
      ]
    }
  }

  private func answer(
    _ version: Result<RuntimeVersion, Status>, runtime: Result<RuntimeVersion, Status>
  ) -> [DoctorFinding] {
    let about = "runtime-manager"
    switch (version, runtime) {
    case (.failure(let status), _):
      return [
        DoctorFinding(
          .fail, about, "\(listen): \(status.message)",
          advice: "systemctl start runtime-manager; journalctl -u runtime-manager says why it does not run")
      ]
    case (.success(let ours), .success(let theirs)) where ours != theirs:
      return [
        DoctorFinding(
          .fail, about, "relays to \(ours.name) \(ours.version), CRI \(ours.api): not what serves \(self.runtime)",
          advice: "see its --runtime-endpoint (runtime-manager config)")
      ]
    case (.success(let ours), _):
      return [DoctorFinding(.ok, about, "answers on \(listen) as \(ours.name) \(ours.version), CRI \(ours.api)")]
    }
  }

  /// Whoever can dial it, can run anything as root.
  private func access(_ path: String, _ about: String, mayDial widest: mode_t) -> [DoctorFinding] {
    guard let status = node.status(path) else { return [] }
    let mode = "mode 0\(String(status.st_mode & 0o7777, radix: 8)), uid \(status.st_uid), gid \(status.st_gid)"
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      return [DoctorFinding(.fail, about, "\(path) is no socket", advice: "remove it and restart runtime-manager")]
    }
    if status.st_mode & 0o777 & ~widest != 0 {
      return [
        DoctorFinding(
          .fail, about, "\(path): more people may dial it than should (\(mode))",
          advice: "chmod 0\(String(widest, radix: 8)) \(path)")
      ]
    }
    return [DoctorFinding(.ok, about, "\(path): \(mode)")]
  }

  /// Whoever writes there can put another socket in its place.
  private func parent(_ path: String) -> [DoctorFinding] {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    guard let status = node.status(directory.isEmpty ? "/" : directory) else { return [] }
    guard status.st_mode & 0o022 != 0 || status.st_uid != 0 && status.st_uid != geteuid() else {
      return [DoctorFinding(.ok, "directory", "\(directory): only its owner writes there")]
    }
    return [
      DoctorFinding(
        .fail, "directory",
        "\(directory): others can put another socket in its place (mode 0\(String(status.st_mode & 0o7777, radix: 8)), uid \(status.st_uid))",
        advice: "chown root \(directory) && chmod go-w \(directory)")
    ]
  }
}
