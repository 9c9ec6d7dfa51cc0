import Foundation
import Testing

@testable import runtime_manager

/// kubelet's set-up on made-up nodes.
@Suite struct DoctorTests {
  private static let here = "/run/rm.sock"
  private static let containerd = "unix:///run/containerd/containerd.sock"

  /// The findings of a node with these files, each as "mark about: finding".
  private func findings(_ files: [String: String]) throws -> [DoctorFinding] {
    let root = NSTemporaryDirectory() + "node-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (path, content) in files {
      let directory = URL(fileURLWithPath: root + path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(content.utf8).write(to: URL(fileURLWithPath: root + path))
    }
    return KubeletCheck(node: Node(root: root), socket: Self.here).findings()
  }

  private func kubelet(_ flags: String...) -> [String: String] {
    ["/proc/7/comm": "kubelet\n", "/proc/7/cmdline": (["kubelet"] + flags).map { $0 + "\0" }.joined()]
  }

  private let configured = ["/var/lib/kubelet/config.yaml": "containerRuntimeEndpoint: unix:///run/rm.sock\n"]

  @Test func aKubeletThatDialsUsIsFine() throws {
    let found = try findings(configured.merging(kubelet("--config=/var/lib/kubelet/config.yaml")) { $1 })
    #expect(found.map(\.mark) == [.ok, .ok])
    #expect(found[0].finding == "dials unix:///run/rm.sock (/var/lib/kubelet/config.yaml)")
  }

  @Test func theConfigurationIsWhereTheRunningKubeletHasIt() throws {
    let files = ["/etc/k.yaml": "containerRuntimeEndpoint: unix:///run/rm.sock"]
    #expect(try findings(files.merging(kubelet("--config", "/etc/k.yaml")) { $1 })[0].mark == .ok)
  }

  @Test func aFlagWinsOverTheConfiguration() throws {
    let found = try findings(
      configured.merging(kubelet("--container-runtime-endpoint", Self.containerd)) { $1 })
    #expect(found[0].mark == .fail)
    #expect(found[0].finding.contains("the running kubelet's --container-runtime-endpoint"))
    #expect(found[0].advice == "systemctl restart kubelet")
  }

  @Test func aKubeletThatIsToldNothingDialsContainerd() throws {
    let found = try findings(kubelet())
    #expect(found[0].mark == .fail)
    #expect(found[0].finding == "dials \(Self.containerd) (kubelet's default), not unix:///run/rm.sock")
  }

  @Test func whatTheNextStartWouldDialIsToldToo() throws {
    let files = [
      "/var/lib/kubelet/kubeadm-flags.env":
        "KUBELET_KUBEADM_ARGS=\"--pod-infra-container-image=x --container-runtime-endpoint=\(Self.containerd)\"\n"
    ]
    let found = try findings(files.merging(kubelet("--container-runtime-endpoint=unix:///run/rm.sock")) { $1 })
    #expect(found.map(\.mark).prefix(2) == [.ok, .fail])
    #expect(found[1].finding.contains("when it is restarted"))
  }

  @Test func withoutAKubeletItsFilesTell() throws {
    #expect(try findings(configured).map(\.mark) == [.warn, .ok, .ok])
    #expect(try findings([:]).map(\.mark) == [.warn, .fail, .ok])
  }

  @Test func imagesThatGoElsewhereAreToldWithThePlace() throws {
    let files = ["/var/lib/kubelet/config.yaml": "imageServiceEndpoint: unix:///run/images.sock"]
    let found = try findings(files).first { $0.about == "images" }
    #expect(found?.mark == .warn)
    #expect(found?.finding.contains("config.yaml, imageServiceEndpoint") == true)
  }

  @Test(arguments: [("unix:///run/rm.sock", DoctorFinding.Mark.ok), (Self.containerd, .fail)])
  func whatKubeadmWouldWriteBackIsTold(endpoint: String, mark: DoctorFinding.Mark) throws {
    let found = try findings([
      "/etc/kubernetes/kubelet.conf": "",
      "/var/lib/kubelet/instance-config.yaml": "containerRuntimeEndpoint: \(endpoint)",
    ])
    #expect(found.last?.mark == mark)
    #expect(found.last?.about == "kubeadm")
  }

  @Test func theNodesAnnotationCannotBeSeenFromHere() throws {
    let found = try findings(["/etc/kubernetes/kubelet.conf": ""])
    #expect(found.last?.mark == .note)
    #expect(found.last?.advice?.contains("kubeadm.alpha.kubernetes.io/cri-socket=unix:///run/rm.sock") == true)
  }

  @Test func aBrokenConfigurationIsToldWithItsLine() throws {
    let found = try findings(["/var/lib/kubelet/config.yaml": "a: b\n c: d"])
    #expect(found[0].mark == .fail)
    #expect(found[0].finding.hasPrefix("/var/lib/kubelet/config.yaml:2: is not YAML"))
  }

  @Test func environmentFilesAreReadAsSystemdReadsThem() {
    let file = EnvironmentFile(Array("# A=1\nB='two words'\nC=3\nC=4\n D\n;E=1\nF=\"--x --y\"\n".utf8))
    #expect(file.variables == ["B": "two words", "C": "4", "F": "--x --y"])
    #expect(file.words(of: "F") == ["--x", "--y"])
    #expect(file.words(of: "G").isEmpty)
  }
}
