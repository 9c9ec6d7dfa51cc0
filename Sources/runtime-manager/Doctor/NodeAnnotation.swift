internal import FoundationEssentials
internal import Subprocess

/// The endpoint that the cluster keeps for a node: an annotation of its `Node` object, which kubeadm writes when the node
/// joins, and reads when it upgrades the node (kubeadm: `AnnotationKubeadmCRISocket`).
enum NodeAnnotation: Sendable, Hashable {
  static let key = "kubeadm.alpha.kubernetes.io/cri-socket"

  case endpoint(String)
  /// The node is there and has no such annotation.
  case absent
  /// Nobody could be asked, or there was no answer: why, for people.
  case unknown(String)
}

/// kubectl, asking the API server with the credentials that kubelet has.
///
/// A node may read its own object (Kubernetes: node authorization), so nothing more is needed than what is on the node.
/// `get --raw` is one request; other ways to ask begin with a discovery of all that the server knows, and leave that in a
/// cache on the disk.
struct Kubectl: Sendable {
  /// The file with kubelet's credentials, as we see it.
  let configuration: String

  /// kubectl's own limit, which it keeps with a word on what was slow, and ours in case it does not.
  private static let requestTimeout = "3s"
  private static let timeout: Duration = .seconds(5)
  private static let answerLimitBytes = 4 << 20
  private static let errorLimitBytes = 64 << 10

  private struct NodeObject: Decodable {
    struct Metadata: Decodable {
      var annotations: [String: String]?
    }
    var metadata: Metadata
  }

  func annotation(ofNode name: String) async -> NodeAnnotation {
    await withTaskGroup { tasks in
      tasks.addTask { await ask(name) }
      tasks.addTask {
        try? await Task.sleep(for: Self.timeout)
        return .unknown("kubectl did not end within \(Self.timeout)")
      }
      defer { tasks.cancelAll() }
      return await tasks.next() ?? .unknown("cancelled")
    }
  }

  private func ask(_ name: String) async -> NodeAnnotation {
    var options = PlatformOptions()
    // What it starts to get credentials (an exec plugin) ends with it.
    options.processGroupID = 0
    options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
    do {
      let ended = try await Subprocess.run(
        .name("kubectl"),
        arguments: [
          "--kubeconfig", configuration, "--request-timeout", Self.requestTimeout, "get", "--raw",
          "/api/v1/nodes/\(name)",
        ],
        platformOptions: options, output: .string(limit: Self.answerLimitBytes),
        error: .string(limit: Self.errorLimitBytes))
      guard ended.terminationStatus.isSuccess else {
        return .unknown("kubectl: \(Self.oneLine(ended.standardError) ?? Self.words(for: ended.terminationStatus))")
      }
      return Self.annotation(in: ended.standardOutput)
    } catch let error as SubprocessError where error.code == .executableNotFound {
      return .unknown("there is no kubectl here")
    } catch {
      return .unknown("kubectl: \(error)")
    }
  }

  static func annotation(in answer: String) -> NodeAnnotation {
    guard let node = try? JSONDecoder().decode(NodeObject.self, from: Data(answer.utf8)) else {
      return .unknown("kubectl's answer is no Node object")
    }
    return node.metadata.annotations?[NodeAnnotation.key].map { .endpoint($0) } ?? .absent
  }

  private static func words(for status: TerminationStatus) -> String {
    switch status {
    case .exited(let code): "ended with exit code \(code)"
    case .signaled(let signal): "was ended by signal \(signal)"
    }
  }

  /// Its complaint as part of a line; `nil` if it has none.
  private static func oneLine(_ text: String) -> String? {
    let words = text.split(whereSeparator: \.isWhitespace)
    return words.isEmpty ? nil : String(words.joined(separator: " ").prefix(300))
  }
}
