import Foundation
import Testing

@testable import runtime_manager

/// kubelet's set-up on made-up nodes.
@Suite struct DoctorTests {
  private static let here = "/run/rm.sock"
  private static let containerd = "unix:///run/containerd/containerd.sock"

  /// The findings of a node with these files, each as "mark about: finding".
  private func findings(
    _ files: [String: String], _ annotation: NodeAnnotation = .unknown("nobody asks here")
  ) async throws -> [DoctorFinding] {
    let root = NSTemporaryDirectory() + "node-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for (path, content) in files {
      let directory = URL(fileURLWithPath: root + path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      try Data(content.utf8).write(to: URL(fileURLWithPath: root + path))
    }
    var check = KubeletCheck(node: Node(root: root), socket: Self.here)
    check.annotation = { credentials, name in
      #expect(credentials == root + "/etc/kubernetes/kubelet.conf")
      return name == "node-1" ? annotation : .unknown("asked about \(name)")
    }
    return await check.findings()
  }

  private func kubelet(_ flags: String...) -> [String: String] {
    ["/proc/7/comm": "kubelet\n", "/proc/7/cmdline": (["kubelet"] + flags).map { $0 + "\0" }.joined()]
  }

  private let configured = ["/var/lib/kubelet/config.yaml": "containerRuntimeEndpoint: unix:///run/rm.sock\n"]

  @Test func aKubeletThatDialsUsIsFine() async throws {
    let found = try await findings(configured.merging(kubelet("--config=/var/lib/kubelet/config.yaml")) { $1 })
    #expect(found.map(\.mark) == [.ok, .ok])
    #expect(found[0].finding == "dials unix:///run/rm.sock (/var/lib/kubelet/config.yaml)")
  }

  @Test func theConfigurationIsWhereTheRunningKubeletHasIt() async throws {
    let files = ["/etc/k.yaml": "containerRuntimeEndpoint: unix:///run/rm.sock"]
    #expect(try await findings(files.merging(kubelet("--config", "/etc/k.yaml")) { $1 })[0].mark == .ok)
  }

  @Test func aFlagWinsOverTheConfiguration() async throws {
    let found = try await findings(
      configured.merging(kubelet("--container-runtime-endpoint", Self.containerd)) { $1 })
    #expect(found[0].mark == .fail)
    #expect(found[0].finding.contains("the running kubelet's --container-runtime-endpoint"))
    #expect(found[0].advice == "systemctl restart kubelet")
  }

  @Test func aKubeletThatIsToldNothingDialsContainerd() async throws {
    let found = try await findings(kubelet())
    #expect(found[0].mark == .fail)
    #expect(found[0].finding == "dials \(Self.containerd) (kubelet's default), not unix:///run/rm.sock")
  }

  @Test func whatTheNextStartWouldDialIsToldToo() async throws {
    let files = [
      "/var/lib/kubelet/kubeadm-flags.env":
        "KUBELET_KUBEADM_ARGS=\"--pod-infra-container-image=x --container-runtime-endpoint=\(Self.containerd)\"\n"
    ]
    let found = try await findings(files.merging(kubelet("--container-runtime-endpoint=unix:///run/rm.sock")) { $1 })
    #expect(found.map(\.mark).prefix(2) == [.ok, .fail])
    #expect(found[1].finding.contains("when it is restarted"))
  }

  @Test func withoutAKubeletItsFilesTell() async throws {
    #expect(try await findings(configured).map(\.mark) == [.warn, .ok, .ok])
    #expect(try await findings([:]).map(\.mark) == [.warn, .fail, .ok])
  }

  @Test func imagesThatGoElsewhereAreToldWithThePlace() async throws {
    let files = ["/var/lib/kubelet/config.yaml": "imageServiceEndpoint: unix:///run/images.sock"]
    let found = try await findings(files).first { $0.about == "images" }
    #expect(found?.mark == .warn)
    #expect(found?.finding.contains("config.yaml, imageServiceEndpoint") == true)
  }

  @Test(arguments: [("unix:///run/rm.sock", DoctorFinding.Mark.ok), (Self.containerd, .fail)])
  func whatKubeadmWouldWriteBackIsTold(endpoint: String, mark: DoctorFinding.Mark) async throws {
    let found = try await findings([
      "/etc/kubernetes/kubelet.conf": "",
      "/var/lib/kubelet/instance-config.yaml": "containerRuntimeEndpoint: \(endpoint)",
    ])
    #expect(found.last?.mark == mark)
    #expect(found.last?.about == "kubeadm")
  }

  private let credentials = ["/etc/kubernetes/kubelet.conf": ""]
  private let hostname = ["/proc/sys/kernel/hostname": "Node-1\n"]

  @Test(arguments: [
    (NodeAnnotation.endpoint("unix:///run/rm.sock"), DoctorFinding.Mark.ok, "keeps unix:///run/rm.sock"),
    (.endpoint("/run/rm.sock"), .ok, "keeps /run/rm.sock"),
    (.endpoint(Self.containerd), .fail, "will write \(Self.containerd) back"),
    (.absent, .warn, "has no annotation kubeadm.alpha.kubernetes.io/cri-socket"),
    (.unknown("no way"), .note, "could not be looked at (no way)"),
  ])
  func whatTheNodesAnnotationSaysIsTold(annotation: NodeAnnotation, mark: DoctorFinding.Mark, words: String)
    async throws
  {
    let found = try #require(try await findings(credentials.merging(hostname) { $1 }, annotation).last)
    #expect(found.mark == mark)
    #expect(found.finding.contains(words))
    let command =
      "kubectl annotate node node-1 --overwrite kubeadm.alpha.kubernetes.io/cri-socket=unix:///run/rm.sock"
    #expect(found.advice?.hasSuffix(command) == (mark == .ok ? nil : true))
  }

  @Test func theAnnotationIsOfTheNodeThatKubeletIs() async throws {
    let files = credentials.merging(kubelet("--hostname-override=Other")) { $1 }.merging(hostname) { $1 }
    #expect(try await findings(files).last?.finding.contains("asked about other") == true)
  }

  @Test func nobodyIsAskedWithoutCredentialsOrName() async throws {
    let flags = ["/var/lib/kubelet/kubeadm-flags.env": ""]
    #expect(try await findings(flags).last?.finding.contains("there is no /etc/kubernetes/kubelet.conf") == true)
    let found = try await findings(credentials).last
    #expect(found?.finding.contains("the node's name is not known") == true)
    #expect(found?.advice?.contains("kubectl annotate node NODE ") == true)
  }

  @Test func theAnnotationIsReadFromTheNodeObject() {
    let key = "kubeadm.alpha.kubernetes.io/cri-socket"
    #expect(Kubectl.annotation(in: #"{"metadata":{"annotations":{"\#(key)":"unix:///x"}}}"#) == .endpoint("unix:///x"))
    #expect(Kubectl.annotation(in: #"{"metadata":{"annotations":{"a":"b"}}}"#) == .absent)
    #expect(Kubectl.annotation(in: #"{"metadata":{"name":"n"}}"#) == .absent)
    #expect(Kubectl.annotation(in: "<html>") == .unknown("kubectl's answer is no Node object"))
  }

  @Test func aBrokenConfigurationIsToldWithItsLine() async throws {
    let found = try await findings(["/var/lib/kubelet/config.yaml": "a: b\n c: d"])
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
