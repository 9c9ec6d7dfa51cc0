internal import RuntimeDispatcher
package import WireFields

// The requests of cri.proto that plugins may change.

extension WireShape {
  private static let podLinux = WireShape([1: .text, 4: .message(resources), 5: .message(resources)])

  private static let podConfig = WireShape([
    1: .message(podMetadata), 6: .messages(entry), 7: .messages(entry), 8: .message(podLinux),
  ])

  package static let runPodSandboxRequest = WireShape([1: .message(podConfig), 2: .text])
}
