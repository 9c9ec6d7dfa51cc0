internal import Accounts

/// The rules that hold for all plugins, from the command line.
package struct HookRules: Sendable {
  /// A pod with this label is never hooked, nor are its containers. Read from kubelet's labels only.
  package var skipLabel: (key: String, value: String)
  /// In these namespaces Fail acts as Ignore.
  package var neverFailNamespaces: Set<String>

  /// kubelet writes here where a pod came from: `api`, or `file` and `http` for static pods.
  static let configSourceKey = "kubernetes.io/config.source"

  package init(
    skipLabel: (key: String, value: String) = ("runtimeproxy.koordinator.sh/skip-hookserver", "true"),
    neverFailNamespaces: Set<String> = ["kube-system"]
  ) {
    self.skipLabel = skipLabel
    self.neverFailNamespaces = neverFailNamespaces
  }

  /// Whether the pod is left alone.
  func skips(_ request: some HookRequest) -> Bool { request.podLabel(skipLabel.key) == skipLabel.value }

  /// Whether a pod with these labels is left alone.
  func skips(podLabels: [String: String]) -> Bool { podLabels[skipLabel.key] == skipLabel.value }

  /// Whether Fail acts as Ignore for this pod, so that no plugin can lock a node out.
  func exemptsFromFail(_ request: some HookRequest, in namespace: String) -> Bool {
    if neverFailNamespaces.contains(namespace) { return true }
    return switch request.podAnnotation(Self.configSourceKey) {
    case "file", "http": true
    case .some, nil: false
    }
  }
}
