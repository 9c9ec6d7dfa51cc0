internal import YAML

/// Is kubelet pointed here? As its files and the flags of the running one say.
///
/// A flag wins over the configuration file; kubeadm keeps flags in a file of its own, and the endpoint once more where
/// its next upgrade reads it.
struct KubeletCheck {
  private static let about = "kubelet"
  private static let upgradeAbout = "kubeadm"
  private static let endpointFlag = "--container-runtime-endpoint"
  private static let imageFlag = "--image-service-endpoint"
  private static let nameFlag = "--hostname-override"
  private static let defaultConfiguration = "/var/lib/kubelet/config.yaml"
  private static let flagsFile = "/var/lib/kubelet/kubeadm-flags.env"
  private static let instanceFile = "/var/lib/kubelet/instance-config.yaml"
  /// kubelet's credentials, where kubeadm puts them.
  private static let credentials = "/etc/kubernetes/kubelet.conf"
  /// What kubelet takes when it is told nothing (kubelet: KubeletConfiguration, containerRuntimeEndpoint).
  private static let kubeletsDefault = "unix:///run/containerd/containerd.sock"

  let node: Node
  /// Where RuntimeManager listens.
  let socket: String
  /// Asks the cluster about the node of a name, with kubelet's credentials in the file as we see it.
  var annotation: @Sendable (_ credentials: String, _ node: String) async -> NodeAnnotation = {
    await Kubectl(configuration: $0).annotation(ofNode: $1)
  }

  private var wanted: String { "unix://\(socket)" }

  /// Where somebody says which endpoint is meant.
  private struct Word: Hashable {
    let place: String
    let endpoint: String
  }

  func findings() async -> [DoctorFinding] {
    let kubelet = node.processes(named: "kubelet").first
    let path = kubelet?.value(of: "--config") ?? Self.defaultConfiguration
    var findings: [DoctorFinding] = []
    var configuration: [String: String] = [:]
    switch settings(in: path) {
    case .success(let found): configuration = found
    case .failure(let finding): findings.append(finding)
    }

    findings += endpoint(kubelet, configurationPath: path, configuration)
    findings += images(kubelet, configurationPath: path, configuration)
    findings += await nextUpgrade(kubelet)
    return findings
  }

  private func endpoint(
    _ kubelet: Node.Process?, configurationPath: String, _ configuration: [String: String]
  ) -> [DoctorFinding] {
    let inFile = configuration["containerRuntimeEndpoint"].map { Word(place: configurationPath, endpoint: $0) }
    let inFlags = flag(Self.endpointFlag).map { Word(place: "\(Self.flagsFile), \(Self.endpointFlag)", endpoint: $0) }
    let next = inFlags ?? inFile ?? Word(place: "kubelet's default", endpoint: Self.kubeletsDefault)
    guard let kubelet else {
      let mark: DoctorFinding.Mark = leadsHere(next.endpoint) ? .ok : .fail
      return [
        DoctorFinding(.warn, Self.about, "no kubelet runs here", advice: "systemctl start kubelet"),
        DoctorFinding(
          mark, Self.about, "will dial \(next.endpoint) (\(next.place))",
          advice: mark == .ok ? nil : "set \(wanted) there (README.md, \"Point kubelet at it\")"),
      ]
    }
    let running = kubelet.value(of: Self.endpointFlag).map {
      Word(place: "the running kubelet's \(Self.endpointFlag)", endpoint: $0)
    }
    let now = running ?? inFile ?? Word(place: "kubelet's default", endpoint: Self.kubeletsDefault)
    guard leadsHere(now.endpoint) else {
      let isMended = leadsHere(next.endpoint)
      return [
        DoctorFinding(
          .fail, Self.about, "dials \(now.endpoint) (\(now.place)), not \(wanted)",
          advice: isMended ? "systemctl restart kubelet" : "set \(wanted) there, then systemctl restart kubelet")
      ]
    }
    var findings = [DoctorFinding(.ok, Self.about, "dials \(now.endpoint) (\(now.place))")]
    if !leadsHere(next.endpoint) {
      findings.append(
        DoctorFinding(
          .fail, Self.about, "will dial \(next.endpoint) (\(next.place)) when it is restarted",
          advice: "set \(wanted) there"))
    }
    return findings
  }

  private func images(
    _ kubelet: Node.Process?, configurationPath: String, _ configuration: [String: String]
  ) -> [DoctorFinding] {
    let words = [
      kubelet?.value(of: Self.imageFlag).map { Word(place: "the running kubelet's \(Self.imageFlag)", endpoint: $0) },
      flag(Self.imageFlag).map { Word(place: "\(Self.flagsFile), \(Self.imageFlag)", endpoint: $0) },
      configuration["imageServiceEndpoint"].map {
        Word(place: "\(configurationPath), imageServiceEndpoint", endpoint: $0)
      },
    ]
    guard let word = words.compactMap({ $0 }).first(where: { !leadsHere($0.endpoint) && !$0.endpoint.isEmpty }) else {
      return [DoctorFinding(.ok, "images", "take the same way as containers")]
    }
    return [
      DoctorFinding(
        .warn, "images", "go to \(word.endpoint) (\(word.place)), past RuntimeManager",
        advice: "unset it; if images live elsewhere, start RuntimeManager with --image-endpoint")
    ]
  }

  /// kubeadm writes the endpoint back from one of two places when it upgrades the node: the first that has one.
  private func nextUpgrade(_ kubelet: Node.Process?) async -> [DoctorFinding] {
    let hasCredentials = node.status(Self.credentials) != nil
    guard hasCredentials || node.status(Self.flagsFile) != nil else { return [] }
    switch settings(in: Self.instanceFile) {
    case .failure(let finding): return [finding]
    case .success(let found):
      if let endpoint = found["containerRuntimeEndpoint"] {
        return [upgrade(to: endpoint, Self.instanceFile, advice: "set containerRuntimeEndpoint: \(wanted) there")]
      }
    }

    let name = nodeName(kubelet)
    let annotate = "kubectl annotate node \(name ?? "NODE") --overwrite \(NodeAnnotation.key)=\(wanted)"
    let answer: NodeAnnotation
    if let name, hasCredentials {
      answer = await annotation(node.path(Self.credentials), name)
    } else {
      answer = .unknown(hasCredentials ? "the node's name is not known" : "there is no \(Self.credentials)")
    }
    switch answer {
    case .endpoint(let endpoint): return [upgrade(to: endpoint, "the node's annotation", advice: annotate)]
    case .absent:
      return [
        DoctorFinding(
          .warn, Self.upgradeAbout,
          "finds no endpoint at its next upgrade: the node has no annotation \(NodeAnnotation.key)",
          advice: annotate)
      ]
    case .unknown(let reason):
      return [
        DoctorFinding(
          .note, Self.upgradeAbout,
          "its next upgrade reads the endpoint from the node's annotation, which could not be looked at (\(reason))",
          advice: "kubectl get node \(name ?? "NODE") -o yaml | grep cri-socket; if it is not \(wanted): \(annotate)")
      ]
    }
  }

  private func upgrade(to endpoint: String, _ place: String, advice: String) -> DoctorFinding {
    leadsHere(endpoint)
      ? DoctorFinding(.ok, Self.upgradeAbout, "keeps \(endpoint) at an upgrade (\(place))")
      : DoctorFinding(
        .fail, Self.upgradeAbout, "will write \(endpoint) back at its next upgrade (\(place))", advice: advice)
  }

  /// As kubelet registers it: `--hostname-override` or else the host's name, in lower case (kubelet: `GetHostname`).
  private func nodeName(_ kubelet: Node.Process?) -> String? {
    var name = kubelet?.value(of: Self.nameFlag) ?? flag(Self.nameFlag)
    if name == nil, case .bytes(let bytes) = node.content("/proc/sys/kernel/hostname") {
      name = String(decoding: bytes, as: UTF8.self)
    }
    let plain = (name ?? "").lowercased().filter { !$0.isWhitespace }
    return plain.isEmpty ? nil : plain
  }

  private func leadsHere(_ endpoint: String) -> Bool { endpoint == wanted || endpoint == socket }

  private func flag(_ flag: String) -> String? {
    guard case .bytes(let content) = node.content(Self.flagsFile) else { return nil }
    let words = EnvironmentFile(content).words(of: "KUBELET_KUBEADM_ARGS")
    return Node.Process(id: 0, arguments: words).value(of: flag)
  }

  private enum Read {
    case success([String: String])
    case failure(DoctorFinding)
  }

  /// The plain values of a configuration file of kubelet's; none if it is not there.
  private func settings(in path: String) -> Read {
    switch node.content(path) {
    case .absent: return .success([:])
    case .unreadable(let reason):
      return .failure(
        DoctorFinding(.warn, Self.about, "\(path): \(reason)", advice: "run doctor as root"))
    case .bytes(let bytes):
      do throws(YAMLError) {
        guard let root = try YAMLDocuments.read(bytes).first, case .mapping(let members) = root.value else {
          return .success([:])
        }
        let pairs = members.compactMap { member in
          member.key.text.flatMap { key in member.value.text.map { (key, $0) } }
        }
        return .success(Dictionary(pairs) { $1 })
      } catch {
        return .failure(
          DoctorFinding(.fail, Self.about, "\(path):\(error.line): \(error.problem)", advice: "mend the file"))
      }
    }
  }
}
